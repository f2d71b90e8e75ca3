// What a limit cost, counted and told: nothing is dropped in silence (G6). The stream learns it by gap markers, people by this.
import type { Clock } from '../../kit/clock.ts';
import type { Logger } from '../../kit/logger.ts';
import { seconds } from '../../kit/units.ts';
import { CHAIN_CLASSES, classOfChain, type ChainClass } from '../../wire/nats-subjects.ts';
import type { GapReason } from './gap-marker.ts';

export type LossCounts = Readonly<Record<ChainClass, Readonly<Record<GapReason, number>>>>;

interface Untold {
  changes: number;
  readonly chains: Set<string>;
}

const TOLD_EVERY = seconds(10);
/** The last loss is this long in the health of the outbox. */
const RECENT = seconds(60);
const MOST_CHAINS_COUNTED = 10_000;

const REMEDIES: Record<Exclude<GapReason, 'compacted'>, string> = {
  bytes:
    'the outbox is full: the oldest history of class "CLASS" is dropped; raise --outbox-bytes, or restore the link',
  age: 'history of class "CLASS" has become too old and is dropped; raise --outbox-age, or restore the link',
  size: 'history of class "CLASS" is larger than the NATS server takes as one message, and is dropped; raise max_payload there',
};

export class Losses {
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #counts = Object.fromEntries(
    CHAIN_CLASSES.map((name) => [name, { bytes: 0, age: 0, size: 0, compacted: 0 }]),
  ) as Record<ChainClass, Record<GapReason, number>>;
  readonly #untold = new Map<string, Untold>();
  #toldAt = Number.NEGATIVE_INFINITY;
  #last: { readonly at: number; readonly reason: string } | undefined;

  constructor(tools: { readonly clock: Clock; readonly logger: Logger }) {
    this.#clock = tools.clock;
    this.#logger = tools.logger;
  }

  /** Changes that will not reach the stream, since this process began. */
  get counts(): LossCounts {
    return this.#counts;
  }

  /** A sentence while something was dropped a moment ago. What compaction takes is what was asked for. */
  get recent(): string | undefined {
    const last = this.#last;
    return last !== undefined && this.#clock.monotonic() - last.at < RECENT ? last.reason : undefined;
  }

  add(chain: string, reason: GapReason, changes: number): void {
    if (changes === 0) return;
    const chainClass = classOfChain(chain);
    this.#counts[chainClass][reason] += changes;
    if (reason !== 'compacted')
      this.#last = { at: this.#clock.monotonic(), reason: REMEDIES[reason].replace('CLASS', chainClass) };
    const key = `${chainClass}/${reason}`;
    const untold = this.#untold.get(key) ?? { changes: 0, chains: new Set<string>() };
    this.#untold.set(key, untold);
    untold.changes += changes;
    if (untold.chains.size < MOST_CHAINS_COUNTED) untold.chains.add(chain);
  }

  /** Logs what has gathered, seldom. */
  tell(): void {
    const now = this.#clock.monotonic();
    if (this.#untold.size === 0 || now - this.#toldAt < TOLD_EVERY) return;
    this.#toldAt = now;
    for (const [key, { changes, chains }] of this.#untold) {
      const [chainClass = '', reason = ''] = key.split('/', 2);
      const [first = ''] = chains;
      const fields = { class: chainClass, limit: reason, changes, chains: chains.size, subject: first };
      if (reason === 'compacted') this.#logger.info(fields, 'history compacted to make room');
      else this.#logger.warn(fields, 'history dropped; gap markers in the stream name it');
    }
    this.#untold.clear();
  }
}
