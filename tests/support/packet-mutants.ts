// What clients that are broken, or mean harm, send: packets of all types with one thing or another wrong, by a seed.
import { seededRandom } from '../../src/kit/random.ts';
import {
  connect,
  DISCONNECT,
  packet,
  PINGREQ,
  puback,
  pubcomp,
  publish,
  pubrec,
  pubrel,
  subscribe,
  u16,
  unsubscribe,
  type Qos,
} from './mqtt-bytes.ts';

/** What one connection sends. */
export interface Attack {
  readonly packets: number;
  /** What a client would wait for an answer to, before it goes on; often a CONNECT. */
  readonly opening: Uint8Array;
  /** As they are written. */
  readonly pieces: readonly Uint8Array[];
}

const IDS = 200;
const TOPICS = [
  'a',
  'a/b',
  'a/b/c',
  '/',
  '//',
  'ä/水',
  'x/'.repeat(99),
  '$hw/events/device/pump/twin/update',
  '$hw/events/device/default/pump/twin/get',
  '$hw/events/node/alone/membership/get',
];
const REFUSED_TOPICS = ['$skerry/lie', '$SYS/x', 'x/'.repeat(120), 'a/#', ''];
const FILTERS = ['#', '+', 'a/#', 'a/+', '+/b/#', '$hw/#', '$skerry/#', '$SYS/#', '__proto__', 'constructor'];
const REFUSED_FILTERS = ['a#', '+a', 'a/#/b', ''];
const MOST_PACKETS = 20;

export class PacketMutants {
  readonly #random: () => number;

  constructor(seed: number) {
    this.#random = seededRandom(seed);
  }

  attack(): Attack {
    // Some connections are harmed often, and end soon; some seldom, and get far.
    const harm = this.#one([0.03, 0.1, 0.3, 1]);
    const next = (bytes: Buffer, share: number): Buffer => (this.#chance(share) ? this.#mutated(bytes) : bytes);
    const packets = Array.from({ length: this.#below(MOST_PACKETS) + 1 }, () => next(this.#packet(), harm));
    const opening = this.#chance(0.9) ? next(this.#connect(), harm / 3) : Buffer.alloc(0);
    const bytes = Buffer.concat(packets);
    return { packets: packets.length + 1, opening, pieces: this.#chance(0.8) ? [bytes] : this.#cut(bytes) };
  }

  /** The ids that unharmed packets carry, for who cleans up. */
  static get clientIds(): readonly string[] {
    return Array.from({ length: IDS }, (_, at) => `fuzz-${at}`);
  }

  #mutated(bytes: Buffer): Buffer {
    const mutations: readonly (() => Buffer)[] = [
      () => this.#flipped(bytes),
      () => this.#flipped(bytes),
      () => bytes.subarray(0, this.#below(bytes.length + 1)),
      () => this.#lengthened(bytes),
      () => this.#spliced(bytes, this.#packet()),
      () => Buffer.concat([bytes, bytes]),
      () => Buffer.concat([bytes, this.#bytes(10)]),
      () => this.#bytes(60),
    ];
    return this.#one(mutations)();
  }

  #flipped(bytes: Buffer): Buffer {
    const copy = Buffer.from(bytes);
    for (let left = 1 + this.#below(8); left > 0; left -= 1) {
      const at = this.#below(copy.length);
      copy[at] = (copy[at] ?? 0) ^ (1 << this.#below(8));
    }
    return copy;
  }

  /** Its length, or one inside it, says something else. */
  #lengthened(bytes: Buffer): Buffer {
    const copy = Buffer.from(bytes);
    copy[1 + this.#below(Math.min(4, copy.length - 1))] = this.#one([0, 1, 0x7f, 0x80, 0xff, this.#below(256)]);
    return copy;
  }

  #spliced(bytes: Buffer, other: Buffer): Buffer {
    return Buffer.concat([bytes.subarray(0, this.#below(bytes.length + 1)), other.subarray(this.#below(other.length))]);
  }

  #packet(): Buffer {
    const id = this.#one([1, 2, 3, 4, 5, 65_535, this.#below(65_536)]);
    const kinds: readonly (() => Buffer)[] = [
      () => this.#publish(id),
      () => this.#publish(id),
      () => this.#publish(id),
      () => this.#publish(id),
      () => subscribe(id, ...this.#some(() => [this.#filter(), this.#below(3)] as const)),
      () => unsubscribe(id, ...this.#some(() => this.#filter())),
      () => this.#one([puback, pubrec, pubrel, pubcomp])(id),
      () => PINGREQ,
      () => (this.#chance(0.1) ? DISCONNECT : PINGREQ),
      () => (this.#chance(0.05) ? this.#connect() : pubrel(id)),
      () => (this.#chance(0.1) ? packet(this.#below(256), u16(id), this.#bytes(20)) : pubrec(id)),
    ];
    return this.#one(kinds)();
  }

  #publish(id: number): Buffer {
    const payload = this.#chance(0.1)
      ? this.#bytes(3000)
      : this.#one(['', '{}', '{"twin":{"p":{"actual":{"value":"1"}}}}', 'x']);
    const qos = this.#below(3) as Qos;
    const dup = qos > 0 && this.#chance(0.2);
    return publish(this.#topic(), payload, { qos, id, retain: this.#chance(0.2), dup });
  }

  #connect(): Buffer {
    const will = { topic: this.#topic(), payload: 'gone', qos: this.#below(3), retain: this.#chance(0.2) };
    return connect({
      id: this.#chance(0.9) ? `fuzz-${this.#below(IDS)}` : '',
      clean: this.#chance(0.6),
      keepalive: this.#one([0, 1, 60, 65_535]),
      ...(this.#chance(0.3) ? { will } : {}),
      ...(this.#chance(0.2) ? { username: 'user', password: this.#bytes(20) } : {}),
      ...(this.#chance(0.1) ? { protocol: 'MQIsdp', level: 3 } : {}),
      ...(this.#chance(0.02) ? { level: this.#below(256) } : {}),
    });
  }

  #topic(): string | Buffer {
    return this.#chance(0.02) ? this.#bytes(30) : this.#one(this.#chance(0.95) ? TOPICS : REFUSED_TOPICS);
  }

  #filter(): string {
    return this.#one(this.#chance(0.97) ? FILTERS : REFUSED_FILTERS);
  }

  #some<T>(make: () => T): T[] {
    return Array.from({ length: this.#below(5) + (this.#chance(0.95) ? 1 : 0) }, make);
  }

  #cut(bytes: Buffer): Buffer[] {
    const pieces: Buffer[] = [];
    for (let at = 0; at < bytes.length;) {
      const end = at + 1 + this.#below(40);
      pieces.push(bytes.subarray(at, end));
      at = end;
    }
    return pieces;
  }

  #bytes(most: number): Buffer {
    return Buffer.from(Array.from({ length: this.#below(most) }, () => this.#below(256)));
  }

  #below(limit: number): number {
    return Math.floor(this.#random() * limit);
  }

  #chance(share: number): boolean {
    return this.#random() < share;
  }

  #one<T>(choices: readonly T[]): T {
    return choices[this.#below(choices.length)] as T;
  }
}
