// QoS 2 publications that a connection has begun and that are not decided: the same packet id again, in the same breath, is the same
// publication, and waits for what becomes of the first. Later ones are known by what the session keeps.
import type { Publisher } from './sessions/routing-slip.ts';

export class BegunExchanges {
  readonly #begun = new WeakMap<Publisher, Map<number, (() => void)[]>>();

  /** False when it is begun already: `again` is called when that is decided. */
  begin(client: Publisher, messageId: number, again: () => void): boolean {
    const open = this.#begun.get(client) ?? new Map<number, (() => void)[]>();
    this.#begun.set(client, open);
    const waiting = open.get(messageId);
    if (waiting === undefined) open.set(messageId, []);
    else waiting.push(again);
    return waiting === undefined;
  }

  /** Its answer has been given; what Aedes does with it is done in this round of the loop. */
  end(client: Publisher, messageId: number): void {
    setImmediate(() => {
      const open = this.#begun.get(client);
      const waiting = open?.get(messageId) ?? [];
      open?.delete(messageId);
      for (const again of waiting) again();
    });
  }
}
