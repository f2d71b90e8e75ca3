// Session storage that is a map, and whose end of power a test decides.
import type { SessionChanges, SessionStorage } from '../../broker/index.ts';

export class MemorySessions implements SessionStorage {
  readonly records: Map<string, string>;
  /** What every commit left behind, oldest first. */
  readonly history: ReadonlyMap<string, string>[] = [];
  refusal: Error | undefined;

  constructor(records: ReadonlyMap<string, string> = new Map()) {
    this.records = new Map(records);
    this.history.push(new Map(records));
  }

  // eslint-disable-next-line @typescript-eslint/require-await -- a map needs no waiting
  async *load(): AsyncGenerator<readonly [string, string]> {
    yield* [...this.records].sort(([a], [b]) => (a < b ? -1 : 1));
  }

  async commit(build: () => SessionChanges): Promise<void> {
    await Promise.resolve();
    if (this.refusal !== undefined) throw this.refusal;
    for (const [key, value] of build()) {
      if (value === undefined) this.records.delete(key);
      else this.records.set(key, value);
    }
    this.history.push(new Map(this.records));
    await Promise.resolve();
  }
}

/** A disk that takes as long as the test likes. */
export class SlowSessions extends MemorySessions {
  wait: Promise<unknown> | undefined;

  override async commit(build: () => SessionChanges): Promise<void> {
    await this.wait;
    await super.commit(build);
  }
}
