// Records that cannot be read cost what they say, and not the start of the node: each is named in the log and put out of the way,
// where a person may look at it.
import type { Logger } from '../../src/kit/logger.ts';
import { setAsideKey, type SessionRecords } from './session-records.ts';
import type { WriteBehind } from './write-behind.ts';

export class SetAsideRecords {
  readonly #tools: { readonly writes: WriteBehind; readonly logger: Logger };
  #count = 0;

  constructor(tools: { readonly writes: WriteBehind; readonly logger: Logger }) {
    this.#tools = tools;
  }

  /** Those of now, and of former processes. */
  get count(): number {
    return this.#count;
  }

  take({ unreadable, setAside }: SessionRecords): void {
    const { writes, logger } = this.#tools;
    this.#count = setAside + unreadable.length;
    for (const { key, value, reason } of unreadable) {
      logger.error({ record: key, reason }, 'a record of the sessions cannot be read and is set aside');
      writes.put(setAsideKey(key), () => value);
      writes.remove(key);
    }
  }
}
