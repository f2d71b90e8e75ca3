// A PUBACK leaves before Aedes routes what it acknowledges. What sessions or retained topics are to get of it is therefore
// journalled in the commit that precedes the acknowledgement, and leaves the journal in the commit that puts it into the queues;
// what a killed process left in the journal is routed at the next start. Where no session listens nothing is journalled. Most
// messages need no entry beside themselves: one that is stored and held by nobody was not routed (`isItsOwnEntry`).
import type { Audience } from '../audience.ts';
import { isOwnTopic } from './retained-messages.ts';
import type { IncomingPacket, IncomingPackets } from './incoming-packets.ts';
import type { KeptMessage, MessageShelf, PacketLike } from './message-shelf.ts';
import { encodeMessage, incomingKey, isItsOwnEntry, journalKey, messageKey } from './session-records.ts';
import type { SessionChange, SessionChanges, SessionStorage } from './session-storage.ts';
import type { WriteBehind } from './write-behind.ts';

/** Who publishes; Aedes' client is one. */
export interface Publisher {
  readonly id: string;
  readonly clean: boolean;
  readonly closed?: boolean;
  /** It ended before, perhaps with a former process; what it publishes is its will, whose record goes in the same commit. */
  readonly leftWill?: string;
}

/** What Aedes routes at most; it tells so of a will only when it is published. */
const MOST_LEVELS = 100;
/** Publications that one commit keeps. */
const MOST_TOGETHER = 1000;

interface SlipTools {
  /** Whether a session keeps what is published to the topic. */
  readonly interest: (topic: string) => boolean;
  readonly shelf: MessageShelf;
  readonly writes: WriteBehind;
}

/** What of one publication must be on disk before it is acknowledged. */
export class RoutingSlip {
  readonly client: Publisher;
  readonly packet: IncomingPacket;
  readonly #interest: (topic: string) => boolean;
  readonly #shelf: MessageShelf;
  readonly #writes: WriteBehind;
  /** Whether a commit has taken it along. */
  wasAsked = false;
  isJournalled = false;
  message: KeptMessage | undefined;
  /** The record of the QoS 2 exchange that it begins; `undefined` where none is stored. */
  readonly exchange: string | undefined;
  readonly #will: string | undefined;

  /** @param will the record that holds the publication until it is kept, where it is a will */
  constructor(client: Publisher, packet: IncomingPacket, tools: SlipTools, will: string | undefined) {
    this.client = client;
    this.packet = packet;
    this.#will = will;
    const { qos, messageId } = packet;
    this.exchange =
      qos === 2 && messageId !== undefined && !client.clean ? incomingKey(client.id, messageId) : undefined;
    this.#interest = tools.interest;
    this.#shelf = tools.shelf;
    this.#writes = tools.writes;
  }

  /** Cheap where nobody is concerned, and then `undefined`. To be asked where the commit is built; may be asked again. */
  changes(): SessionChanges | undefined {
    this.wasAsked = true;
    if (!this.isWanted() && this.#will === undefined) return undefined;
    const changes: SessionChange[] = this.#will === undefined ? [] : [[this.#will, undefined]];
    if (this.isJournalled) {
      this.message ??= this.#shelf.create(this.packet);
      const { n } = this.message;
      changes.push([messageKey(n), encodeMessage(this.message)]);
      if (!isItsOwnEntry(this.message)) changes.push([journalKey(n), '1']);
    }
    if (this.exchange !== undefined) {
      this.#writes.forget(this.exchange);
      changes.push([this.exchange, '1']);
    }
    return changes;
  }

  isWanted(): boolean {
    const { topic, retain } = this.packet;
    const isHeld = (retain === true && !isOwnTopic(topic)) || this.#interest(topic);
    this.isJournalled = isHeld && hasLevels(topic, MOST_LEVELS);
    return this.isJournalled || this.exchange !== undefined || this.client.leftWill !== undefined;
  }
}

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
  readonly #kept = new WeakMap<object, RoutingSlip>();
  /** On their way into a commit that is not built yet, and when that is on disk. */
  #gathered: RoutingSlip[] | undefined;
  #keeping = Promise.resolve();
  /** Acknowledged, and not routed yet. */
  readonly #open = new Map<Publisher, Set<RoutingSlip>>();
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
      return slips.flatMap((one) => one.changes() ?? []);
    });
    this.#keeping.catch(close);
    return this.#keeping;
  }

  /** It is on disk, and Aedes is about to acknowledge and route it. */
  admit(slip: RoutingSlip): void {
    const { message, client, packet, isJournalled, exchange } = slip;
    if ((!isJournalled && exchange === undefined) || typeof packet.payload === 'string') return;
    if (isJournalled && message !== undefined) {
      message.isStored = true;
      this.#tools.shelf.hold(message);
    }
    this.#kept.set(packet.payload, slip);
    const open = this.#open.get(client) ?? new Set();
    this.#open.set(client, open.add(slip));
  }

  /** What was kept of the packet that is being routed or stored; `undefined` for most. */
  find(packet: PacketLike): RoutingSlip | undefined {
    return typeof packet.payload === 'string' ? undefined : this.#kept.get(packet.payload);
  }

  /** Its holders are known: from here on they keep it. */
  routed(slip: RoutingSlip): void {
    this.#isLast(slip);
    if (this.#close(slip) && slip.message !== undefined && slip.isJournalled) this.#leave(slip.message);
  }

  /** What was kept for a client that is gone, and Aedes never came to route. */
  unrouted(client: Publisher): RoutingSlip[] {
    return [...(this.#open.get(client) ?? [])];
  }

  /** Never acknowledged, and not to be routed: its client sends it again. */
  drop(slip: RoutingSlip): void {
    const { message } = slip;
    const { writes, shelf } = this.#tools;
    this.#close(slip);
    this.refused(slip);
    if (message === undefined) return;
    if (slip.isJournalled && !isItsOwnEntry(message)) writes.remove(journalKey(message.n));
    message.holders = 0;
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
    // Also where an earlier version wrote an entry that is not written any more.
    this.#tools.writes.remove(journalKey(message.n));
    this.#tools.shelf.release(message);
  }

  /** Whether no other came after it to begin the same exchange; asked when it is over. */
  #isLast(slip: RoutingSlip): boolean {
    const { exchange } = slip;
    return exchange !== undefined && this.#newest.get(exchange) === slip && this.#newest.delete(exchange);
  }

  #close(slip: RoutingSlip): boolean {
    const open = this.#open.get(slip.client);
    const wasOpen = open?.delete(slip) === true;
    if (open?.size === 0) this.#open.delete(slip.client);
    return wasOpen;
  }

  #leave(message: KeptMessage): void {
    if (!isItsOwnEntry(message)) this.#tools.writes.remove(journalKey(message.n));
    this.#tools.shelf.release(message);
  }
}

function hasLevels(topic: string, most: number): boolean {
  let levels = 1;
  for (let at = topic.indexOf('/'); at >= 0 && levels <= most; at = topic.indexOf('/', at + 1)) levels += 1;
  return levels <= most;
}
