// A PUBACK leaves before Aedes routes what it acknowledges. What sessions or retained topics are to get of it is therefore
// journalled in the commit that precedes the acknowledgement, and leaves the journal in the commit that puts it into the queues;
// what a killed process left in the journal is routed at the next start. Where no session listens nothing is journalled. Messages of
// QoS 1 are journalled together, a page for each commit; one on a page that nobody holds was not routed.
import type { Audience } from '../audience.ts';
import type { IncomingPacket, IncomingPackets } from './incoming-packets.ts';
import type { KeptMessage, MessageShelf, PacketLike } from './message-shelf.ts';
import { changesOf, RoutingSlip, type Publisher, type SlipTools } from './routing-slip.ts';
import { isPaged, journalKey, pageKey } from './session-records.ts';
import type { SessionStorage } from './session-storage.ts';
import type { WriteBehind } from './write-behind.ts';

/** Publications that one commit keeps. */
const MOST_TOGETHER = 1000;

export interface RoutingJournalTools {
  readonly audience: Audience;
  readonly shelf: MessageShelf;
  readonly storage: SessionStorage;
  readonly writes: WriteBehind;
  readonly incoming: Pick<IncomingPackets, 'has'>;
}

export class RoutingJournal {
  readonly #tools: RoutingJournalTools;
  readonly #slipTools: SlipTools;
  /** By payload: the one thing of a packet that Aedes hands on without a copy. */
  readonly #kept = new Map<object, RoutingSlip>();
  /** On their way into a commit that is not built yet, and when that is on disk. */
  #gathered: RoutingSlip[] | undefined;
  #keeping = Promise.resolve();
  /** Which publication came last to begin an exchange: a resend may come while an abandoned one is still being kept. */
  readonly #newest = new Map<string, RoutingSlip>();

  constructor(tools: RoutingJournalTools) {
    this.#tools = tools;
    this.#slipTools = { ...tools, interest: (topic) => tools.audience.keeps(topic) };
  }

  /** At QoS 0 nothing is promised. */
  slip(client: Publisher, packet: IncomingPacket, will = client.leftWill): RoutingSlip | undefined {
    if (packet.qos === 0) return undefined;
    const slip = new RoutingSlip(client, packet, this.#slipTools, will);
    if (slip.exchange !== undefined) this.#newest.set(slip.exchange, slip);
    return slip;
  }

  /** On disk when it resolves, by a commit with others where none has taken it along. Rejects when the disk refuses. */
  keep(slip: RoutingSlip): Promise<void> {
    if (slip.wasAsked || !slip.isWanted()) return Promise.resolve();
    if (this.#gathered !== undefined && this.#gathered.length < MOST_TOGETHER) {
      this.#gathered.push(slip);
      return this.#keeping;
    }
    const slips = (this.#gathered = [slip]);
    const close = (): void => {
      if (this.#gathered === slips) this.#gathered = undefined;
    };
    this.#keeping = this.#tools.storage.commit(() => {
      close();
      return changesOf(slips);
    });
    this.#keeping.catch(close);
    return this.#keeping;
  }

  /** It is on disk, and Aedes is about to acknowledge and route it. */
  admit(slip: RoutingSlip): void {
    const { message, packet, isJournalled, exchange, page } = slip;
    if ((!isJournalled && exchange === undefined) || typeof packet.payload === 'string') return;
    if (isJournalled && message !== undefined && page === undefined) {
      message.isStored = true;
      this.#tools.shelf.hold(message);
    }
    slip.isOpen = true;
    this.#kept.set(packet.payload, slip);
  }

  /** What was kept of the packet that is being routed or stored; `undefined` for most. */
  find(packet: PacketLike): RoutingSlip | undefined {
    return typeof packet.payload === 'string' ? undefined : this.#kept.get(packet.payload);
  }

  /** Its holders are known: from here on they keep it. */
  routed(slip: RoutingSlip): void {
    this.#isLast(slip);
    if (!this.#close(slip)) return;
    const { message, page, isJournalled } = slip;
    if (page?.routed() === true) this.#tools.writes.remove(pageKey(page.n));
    if (page === undefined && message !== undefined && isJournalled) this.#leave(message);
  }

  /** What was kept for a client that is gone, and Aedes never came to route. */
  unrouted(client: Publisher): RoutingSlip[] {
    return [...this.#kept.values()].filter((slip) => slip.client === client);
  }

  /** Never acknowledged, and not to be routed: its client sends it again. */
  drop(slip: RoutingSlip): void {
    const { message } = slip;
    const { writes, shelf } = this.#tools;
    this.#close(slip);
    this.refused(slip);
    if (message === undefined) return;
    if (slip.isJournalled) writes.remove(journalKey(message.n));
    shelf.discard(message);
  }

  /** Not kept. An abandoned predecessor may have left the record of the exchange, which must not take the resend for done. */
  refused(slip: RoutingSlip): void {
    const { client, packet, exchange } = slip;
    if (exchange === undefined || !this.#isLast(slip)) return;
    if (!this.#tools.incoming.has(client.id, packet.messageId ?? 0)) this.#tools.writes.remove(exchange);
  }

  /** Takes one out that a former process left. */
  replayed(message: KeptMessage): void {
    this.#leave(message);
  }

  /** Whether no other came after it to begin the same exchange; asked when it is over. */
  #isLast(slip: RoutingSlip): boolean {
    const { exchange } = slip;
    return exchange !== undefined && this.#newest.get(exchange) === slip && this.#newest.delete(exchange);
  }

  #close(slip: RoutingSlip): boolean {
    const wasOpen = slip.isOpen;
    slip.isOpen = false;
    this.#kept.delete(slip.packet.payload as object);
    return wasOpen;
  }

  #leave(message: KeptMessage): void {
    if (!isPaged(message)) this.#tools.writes.remove(journalKey(message.n));
    this.#tools.shelf.release(message);
  }
}
