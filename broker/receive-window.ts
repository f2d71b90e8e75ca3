// How many QoS 2 publications a client may have open: sent, and not released by PUBREL. Asked before the gate, so that what goes past
// the window is kept nowhere. Aedes keeps the list, and asks itself only when a publication has been kept.
import type { Publisher } from './sessions/routing-slip.ts';

/** What Aedes' client does not declare: packet ids of publications that are open, which it strikes off at PUBREL. */
interface Receiving {
  _inboundInflight: Set<number>;
}

export class ReceiveWindow {
  readonly #limit: number;

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** A session goes on with what it had open. */
  begin(client: object, messageIds: Iterable<number>): void {
    (client as Receiving)._inboundInflight = new Set(messageIds);
  }

  /** False when the client has too many open. One that is sent again takes no second place. */
  take(client: Publisher, messageId: number): boolean {
    const open = (client as unknown as Partial<Receiving>)._inboundInflight;
    if (open === undefined || open.has(messageId)) return true;
    if (open.size >= this.#limit) return false;
    open.add(messageId);
    return true;
  }
}

/** How many a client has open. */
export const openPublications = (client: object): number => (client as Receiving)._inboundInflight.size;
