// How often somebody may try to join or renew. Only attempts that fail count in the end: a fleet behind one address renews as it
// likes. Bounded in addresses. Pure: whoever asks says what time it is.
import { isIPv6 } from 'node:net';

export interface AttemptLimits {
  /** Attempts that may fail at once. */
  readonly burst: number;
  readonly perSecond: number;
}

export interface AttemptLimitConfig {
  /** Of one address; IPv6 by the network of 64 bits. */
  readonly each: AttemptLimits;
  readonly all: AttemptLimits;
  /** How many addresses are told apart; the one that has not tried for longest is forgotten first. */
  readonly addresses: number;
}

interface Bucket {
  readonly left: number;
  /** Seconds. */
  readonly at: number;
}

export const ATTEMPT_LIMITS: AttemptLimitConfig = {
  each: { burst: 60, perSecond: 1 },
  all: { burst: 600, perSecond: 20 },
  addresses: 10_000,
};

export class AttemptLimit {
  readonly #config: AttemptLimitConfig;
  readonly #buckets = new Map<string, Bucket>();
  #all: Bucket | undefined;

  constructor(config: AttemptLimitConfig = ATTEMPT_LIMITS) {
    this.#config = config;
  }

  /** How many addresses are remembered. */
  get size(): number {
    return this.#buckets.size;
  }

  /** Counts an attempt and gives `undefined`, or the seconds after which one may succeed. `now`: seconds, monotonic. */
  begin(address: string, now: number): number | undefined {
    const key = networkOf(address);
    const one = filled(this.#buckets.get(key), this.#config.each, now);
    const all = filled(this.#all, this.#config.all, now);
    const wait = Math.max(waitOf(one, this.#config.each), waitOf(all, this.#config.all));
    if (wait > 0) return Math.ceil(wait);
    this.#keep(key, { ...one, left: one.left - 1 });
    this.#all = { ...all, left: all.left - 1 };
    return undefined;
  }

  /** What began did not fail. */
  forgive(address: string, now: number): void {
    const key = networkOf(address);
    const one = filled(this.#buckets.get(key), this.#config.each, now);
    const all = filled(this.#all, this.#config.all, now);
    this.#keep(key, { ...one, left: Math.min(this.#config.each.burst, one.left + 1) });
    this.#all = { ...all, left: Math.min(this.#config.all.burst, all.left + 1) };
  }

  #keep(key: string, bucket: Bucket): void {
    // A map gives back its keys in the order in which they were set: the first has waited for longest.
    this.#buckets.delete(key);
    if (bucket.left >= this.#config.each.burst) return;
    this.#buckets.set(key, bucket);
    const [oldest] = this.#buckets.keys();
    if (this.#buckets.size > this.#config.addresses && oldest !== undefined) this.#buckets.delete(oldest);
  }
}

function filled(bucket: Bucket | undefined, { burst, perSecond }: AttemptLimits, now: number): Bucket {
  if (bucket === undefined) return { left: burst, at: now };
  return { left: Math.min(burst, bucket.left + Math.max(0, now - bucket.at) * perSecond), at: now };
}

const waitOf = ({ left }: Bucket, { perSecond }: AttemptLimits): number => (left >= 1 ? 0 : (1 - left) / perSecond);

/** Whoever has one IPv6 address has 2^64 of them. */
export function networkOf(address: string): string {
  const plain = address.replace(/^::ffff:(?=\d+\.)/i, '');
  if (!isIPv6(plain)) return plain;
  const network = groupsOf(plain.split('%', 1)[0] ?? '').slice(0, 4);
  return `${network.map((group) => Number.parseInt(group, 16).toString(16)).join(':')}::/64`;
}

/** With the zeros that `::` stands for. */
function groupsOf(address: string): readonly string[] {
  const [front = [], back] = address.split('::').map((part) => (part === '' ? [] : part.split(':')));
  if (back === undefined) return front;
  const zeros = Array.from({ length: Math.max(0, 8 - front.length - back.length) }, () => '0');
  return [...front, ...zeros, ...back];
}
