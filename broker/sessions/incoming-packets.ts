// QoS 2 publications that have come and were not released yet (MQTT 3.1.1, 4.3.3), by client and packet id: what tells a resend
// from a new one. They were routed when they came, so that their packet ids are all that is kept; those of persistent sessions
// are stored.
import type { PacketLike } from './message-shelf.ts';
import { incomingKey } from './session-records.ts';
import type { WriteBehind } from './write-behind.ts';

export interface IncomingPacket extends PacketLike {
  readonly messageId?: number | undefined;
}

export class IncomingPackets {
  readonly #writes: WriteBehind;
  /** Whether storage knows it as well: not that of a clean session, which ends with its connection. */
  readonly #clients = new Map<string, Map<number, boolean>>();

  constructor(tools: { readonly writes: WriteBehind }) {
    this.#writes = tools.writes;
  }

  has(client: string, messageId: number): boolean {
    return this.#clients.get(client)?.has(messageId) === true;
  }

  /** Packet ids that the client has not released. */
  ids(client: string): Iterable<number> {
    return this.#clients.get(client)?.keys() ?? [];
  }

  hasAny(client: string): boolean {
    return this.#clients.has(client);
  }

  /** `isStored`: the record is in storage. */
  add(client: string, messageId: number, isStored: boolean): void {
    const ids = this.#clients.get(client) ?? new Map<number, boolean>();
    this.#clients.set(client, ids.set(messageId, isStored));
  }

  /** Puts it into storage as well. */
  store(client: string, messageId: number): void {
    this.add(client, messageId, true);
    this.#writes.put(incomingKey(client, messageId), () => '1', true);
  }

  /** Takes it out of storage, and leaves it known. False when storage has nothing to do. */
  unstore(client: string, messageId: number): boolean {
    if (this.#clients.get(client)?.get(messageId) !== true) return false;
    this.#writes.remove(incomingKey(client, messageId));
    return true;
  }

  forget(client: string, messageId: number): void {
    const ids = this.#clients.get(client);
    ids?.delete(messageId);
    if (ids?.size === 0) this.#clients.delete(client);
  }

  /** True when storage has less to hold now. */
  removeAll(client: string): boolean {
    let wasStored = false;
    for (const messageId of this.#clients.get(client)?.keys() ?? [])
      wasStored = this.unstore(client, messageId) || wasStored;
    this.#clients.delete(client);
    return wasStored;
  }
}
