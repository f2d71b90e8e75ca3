// Ends sessions whose clients have been away for too long, with what waits for them. After a start clients get time to come back
// first: as long as the node was off, they could not.
import type { Logger } from '../../src/kit/logger.ts';
import type { BrokerLimits } from '../limits.ts';
import type { SessionClock } from './session-clock.ts';
import type { SessionDirectory } from './session-directory.ts';
import type { SessionPersistence } from './session-persistence.ts';

export interface SessionExpiryTools {
  readonly directory: SessionDirectory;
  readonly persistence: Pick<SessionPersistence, 'expire'>;
  readonly clock: SessionClock;
  readonly logger: Logger;
}

export class SessionExpiry {
  readonly #limit: number;
  readonly #tools: SessionExpiryTools;
  #sweeping: Promise<void> | undefined;

  constructor({ sessionExpiry }: Pick<BrokerLimits, 'sessionExpiry'>, tools: SessionExpiryTools) {
    this.#limit = sessionExpiry;
    this.#tools = tools;
  }

  /** One at a time: the next may be asked for while the disk is slow. */
  sweep(): Promise<void> {
    this.#sweeping ??= this.#sweep().finally(() => {
      this.#sweeping = undefined;
    });
    return this.#sweeping;
  }

  async #sweep(): Promise<void> {
    const { directory, persistence, clock, logger } = this.#tools;
    if (directory.keep()) clock.keep();
    if (!clock.hasRunFor(this.#limit)) return;
    for (const client of directory.expired(this.#limit)) {
      // The disk took its time over those before it, and its client may be back.
      if (!directory.expire(client, this.#limit)) continue;
      const messages = await persistence.expire(client);
      logger.warn({ client, messages }, 'this client was away for too long: its session has ended');
    }
  }
}
