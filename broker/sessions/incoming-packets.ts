// QoS 2 publications that have come and were not released yet (MQTT 3.1.1, 4.3.3), by client and packet id: what tells a resend
// from a new one. Those of persistent sessions are stored.
import type { KeptMessage, MessageShelf, PacketLike } from './message-shelf.ts';
import { incomingKey } from './session-records.ts';
import type { WriteBehind } from './write-behind.ts';

export interface IncomingPacket extends PacketLike {
  readonly messageId?: number | undefined;
}

interface Held {
  readonly packet: IncomingPacket;
  /** `undefined`: a clean session's, which ends with its connection. */
  readonly message: KeptMessage | undefined;
}

export class IncomingPackets {
  readonly #shelf: MessageShelf;
  readonly #writes: WriteBehind;
  readonly #clients = new Map<string, Map<number, Held>>();

  constructor(tools: { readonly shelf: MessageShelf; readonly writes: WriteBehind }) {
    this.#shelf = tools.shelf;
    this.#writes = tools.writes;
  }

  has(client: string, messageId: number): boolean {
    return this.#clients.get(client)?.has(messageId) === true;
  }

  get(client: string, messageId: number): IncomingPacket | undefined {
    return this.#clients.get(client)?.get(messageId)?.packet;
  }

  /** `isStored`: the record went with the journal's. */
  add(client: string, packet: IncomingPacket, message: KeptMessage | undefined, isStored: boolean): void {
    const { messageId = 0 } = packet;
    const { topic, payload, qos = 2, retain = false, dup = false } = packet;
    const copy = { cmd: 'publish', topic, payload: message?.payload ?? payload, qos, retain, dup, messageId };
    this.#hold(client, messageId, { packet: copy, message });
    if (message !== undefined && !isStored)
      this.#writes.put(incomingKey(client, messageId), () => message.n.toString(), true);
  }

  /** As it stood in storage. */
  restore(client: string, messageId: number, message: KeptMessage): void {
    this.add(client, { ...message, messageId }, message, true);
  }

  remove(client: string, messageId: number): boolean {
    const held = this.#clients.get(client)?.get(messageId);
    if (held === undefined) return false;
    this.#forget(client, messageId, held);
    return true;
  }

  /** True when storage has less to hold now. */
  removeAll(client: string): boolean {
    let wasStored = false;
    for (const [messageId, held] of this.#clients.get(client) ?? []) {
      wasStored ||= held.message !== undefined;
      this.#forget(client, messageId, held);
    }
    return wasStored;
  }

  #hold(client: string, messageId: number, held: Held): void {
    const packets = this.#clients.get(client) ?? new Map<number, Held>();
    this.#clients.set(client, packets);
    packets.set(messageId, held);
    if (held.message !== undefined) this.#shelf.hold(held.message);
  }

  #forget(client: string, messageId: number, { message }: Held): void {
    const packets = this.#clients.get(client);
    packets?.delete(messageId);
    if (packets?.size === 0) this.#clients.delete(client);
    if (message === undefined) return;
    this.#writes.remove(incomingKey(client, messageId));
    this.#shelf.release(message);
  }
}
