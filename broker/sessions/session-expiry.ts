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

  constructor({ sessionExpiry }: Pick<BrokerLimits, 'sessionExpiry'>, tools: SessionExpiryTools) {
    this.#limit = sessionExpiry;
    this.#tools = tools;
  }

  async sweep(): Promise<void> {
    const { directory, persistence, clock, logger } = this.#tools;
    if (directory.keep()) clock.keep();
    if (!clock.hasRunFor(this.#limit)) return;
    for (const client of directory.expired(this.#limit)) {
      const messages = await persistence.expire(client);
      logger.warn({ client, messages }, 'this client was away for too long: its session has ended');
    }
  }
}
