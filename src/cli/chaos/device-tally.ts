// The question that the whole command asks, for one device: is each acknowledged number in the stream, once, and in order? Pure;
// sees the stream number by number, so that a long run needs no memory for it.
import { NumberSet } from './number-set.ts';

/** What the device's side knows. Numbers count up from 1. */
export interface Published {
  readonly acknowledged: NumberSet;
  /** The greatest number that was handed to the MQTT client. */
  readonly newest: number;
}

export interface Findings {
  /** Acknowledged, and neither in the stream nor named by a gap marker. */
  readonly lost: number;
  /** In the stream once more than once: each further one counts. */
  readonly doubled: number;
  /** In the stream for the first time after a greater one. */
  readonly disordered: number;
  /** In the stream, and never published. */
  readonly invented: number;
  /** In the stream although the client never heard so: allowed, an acknowledgement may be lost. */
  readonly unacknowledgedStored: number;
  /** The first few of what is wrong, as sentences without the device. */
  readonly examples: readonly string[];
}

const MOST_EXAMPLES = 5;

export class DeviceTally {
  readonly #seen = new NumberSet();
  readonly #examples: string[] = [];
  #doubled = 0;
  #disordered = 0;
  #invented = 0;

  /** The newest number in the stream; 0 when there is none. */
  get newestStored(): number {
    return this.#seen.greatest;
  }

  get stored(): number {
    return this.#seen.size;
  }

  /** The next number that the stream holds for this device. */
  see(number: number, published: Published): void {
    if (!Number.isSafeInteger(number) || number < 1 || number > published.newest) {
      this.#invented += 1;
      this.#note(`${number} was never published`);
      return;
    }
    const newest = this.#seen.greatest;
    if (!this.#seen.add(number)) {
      this.#doubled += 1;
      this.#note(`${number} is there again, after ${newest}`);
    } else if (number < newest) {
      this.#disordered += 1;
      this.#note(`${number} comes after ${newest}`);
    }
  }

  /** Once the whole stream was seen. */
  findings({ acknowledged }: Published): Findings {
    let lost = 0;
    for (const number of acknowledged) {
      if (this.#seen.has(number)) continue;
      lost += 1;
      this.#note(`${number} was acknowledged and is not there`);
    }
    return {
      lost,
      doubled: this.#doubled,
      disordered: this.#disordered,
      invented: this.#invented,
      unacknowledgedStored: this.#seen.size - (acknowledged.size - lost),
      examples: this.#examples,
    };
  }

  #note(sentence: string): void {
    if (this.#examples.length < MOST_EXAMPLES) this.#examples.push(sentence);
  }
}
