// The lists of topic filters in SUBSCRIBE and UNSUBSCRIBE. A packet may name hundreds of thousands, each of which costs Aedes more
// than it costs its sender: how many is counted before the first of them is read. And a filter that is named twice has two codes in
// the SUBACK (MQTT-3.8.4-5), where Aedes takes both for one, of which the last counts: then the SUBACK is written here.
import type { Aedes, Client, Subscription } from 'aedes';
import { guardBacklog, limitReached } from './client-limits.ts';
import type { BrokerLimits } from './limits.ts';

type Limits = Pick<BrokerLimits, 'filters' | 'clientSubscriptions' | 'backlog'>;

interface SubscribePacket {
  readonly length: number;
  subscriptions?: Subscription[];
  messageId?: number | undefined;
}

/** The inside of mqtt-packet's parser, whose methods are looked up by name on each packet. */
interface PacketParser {
  readonly packet: SubscribePacket;
  readonly _list: { slice(from: number, to: number): Buffer };
  readonly error: Error | null;
  _emitError(error: Error): void;
  _parseSubscribe(): void;
  _parseUnsubscribe(): void;
}

interface Asked {
  readonly messageId: number;
  readonly subscriptions: readonly Readonly<Subscription>[];
}

const ID_LENGTH = 2;
const TEXT_LENGTH = 2;
const QOS_LENGTH = 1;
const SUBACK = 0x90;
const REFUSED = 0x80;

export class FilterLists {
  readonly #limits: Limits;
  /** By the first of the subscriptions that Aedes was given: what was asked for, where that is more. */
  readonly #asked = new WeakMap<Subscription, Asked>();

  constructor(limits: Limits) {
    this.#limits = { ...limits, filters: Math.max(limits.filters, limits.clientSubscriptions) };
  }

  /** To be called before others hear of subscriptions: what they send goes behind the SUBACK. */
  serve(aedes: Aedes): void {
    aedes.on('subscribe', (granted, client) => this.#answer(granted, client));
  }

  /** To be called before anything was read from the client. */
  read(client: Client): void {
    const parser = (client as unknown as { readonly _parser: PacketParser })._parser;
    const parseSubscribe = parser._parseSubscribe.bind(parser);
    const parseUnsubscribe = parser._parseUnsubscribe.bind(parser);
    parser._parseSubscribe = () => {
      if (!this.#fits(parser, QOS_LENGTH)) return;
      parseSubscribe();
      if (parser.error === null) this.#unite(parser.packet);
    };
    parser._parseUnsubscribe = () => {
      if (this.#fits(parser, 0)) parseUnsubscribe();
    };
  }

  #fits(parser: PacketParser, more: number): boolean {
    const { length } = parser.packet;
    const body = parser._list.slice(0, length);
    let filters = 0;
    for (let at = ID_LENGTH; at + TEXT_LENGTH <= length && filters <= this.#limits.filters; filters += 1)
      at += TEXT_LENGTH + body.readUInt16BE(at) + more;
    if (filters <= this.#limits.filters) return true;
    parser._emitError(limitReached('filters', this.#limits));
    return false;
  }

  /** Leaves Aedes the last of each filter, and no packet id to answer to, where it would leave one out. */
  #unite(packet: SubscribePacket): void {
    const { subscriptions = [], messageId = 0 } = packet;
    const last = new Map(subscriptions.map((one) => [one.topic, one]));
    const [first] = last.values();
    if (last.size === subscriptions.length || first === undefined || messageId === 0) return;
    this.#asked.set(first, { messageId, subscriptions: subscriptions.map((one) => ({ ...one })) });
    packet.subscriptions = [...last.values()];
    packet.messageId = undefined;
  }

  #answer(granted: readonly Subscription[], { conn }: Client): void {
    const [first] = granted;
    const asked = first === undefined ? undefined : this.#asked.get(first);
    if (asked === undefined || !conn.writable) return;
    const codes = new Map<string, number>(granted.map(({ topic, qos }) => [topic, qos]));
    const isRefused = (topic: string): boolean => codes.get(topic) === REFUSED;
    conn.write(suback(asked, isRefused));
    guardBacklog(conn, this.#limits);
  }
}

/** MQTT 3.1.1, 3.9. */
function suback({ messageId, subscriptions }: Asked, isRefused: (topic: string) => boolean): Buffer {
  const codes = subscriptions.map(({ topic, qos }) => (isRefused(topic) ? REFUSED : qos));
  const length: number[] = [];
  for (let rest = ID_LENGTH + codes.length; rest > 0; rest >>>= 7)
    length.push((rest & 0x7f) | (rest > 0x7f ? 0x80 : 0));
  return Buffer.from([SUBACK, ...length, messageId >> 8, messageId & 0xff, ...codes]);
}
