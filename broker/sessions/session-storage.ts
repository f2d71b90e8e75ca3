// Where sessions outlive the process. The broker knows only this port; `src/edge/sessions` implements it over the node's store.

/** A record as it shall be; `undefined`: gone. Keys order as text. */
export type SessionChange = readonly [key: string, value: string | undefined];
export type SessionChanges = readonly SessionChange[];

export interface SessionStorage {
  /** Every record, in order of the keys. Read once, before anything is committed. */
  load(): AsyncIterable<readonly [key: string, value: string]>;

  /**
   * All or nothing, on disk when it resolves. Commits are built and written in the order of the calls; `build` may be called more
   * than once. Rejects when the disk refuses: nothing changed then.
   */
  commit(build: () => SessionChanges): Promise<void>;
}

/** For brokers whose sessions end with them. */
export const FORGETFUL: SessionStorage = Object.freeze({
  // eslint-disable-next-line @typescript-eslint/require-await -- there is nothing to wait for, and nothing to give
  async *load(): AsyncGenerator<readonly [string, string]> {
    yield* [];
  },
  commit(build: () => SessionChanges): Promise<void> {
    build();
    return Promise.resolve();
  },
});
