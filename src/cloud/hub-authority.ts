// The authority as the part of a hub that starts first: everybody else asks it for keys and certificates.
import { systemClock } from '../kit/clock.ts';
import type { Deadline } from '../kit/deadline.ts';
import type { Logger } from '../kit/logger.ts';
import { HEALTHY, type Health, type Service } from '../kit/service.ts';
import { Authority } from './authority/authority.ts';

export class HubAuthority implements Service {
  readonly name = 'authority';
  readonly #dataDir: string;
  readonly #logger: Logger;
  #authority: Authority | undefined;

  constructor(config: { readonly dataDir: string }, tools: { readonly logger: Logger }) {
    this.#dataDir = config.dataDir;
    this.#logger = tools.logger;
  }

  /** After start. */
  get current(): Authority {
    if (this.#authority === undefined) throw new Error('the authority was asked before it was started');
    return this.#authority;
  }

  async start(_signal: AbortSignal): Promise<void> {
    this.#authority = await Authority.open(this.#dataDir, { clock: systemClock, logger: this.#logger });
  }

  stop(_deadline: Deadline): Promise<void> {
    return Promise.resolve();
  }

  health(): Health {
    return HEALTHY;
  }
}
