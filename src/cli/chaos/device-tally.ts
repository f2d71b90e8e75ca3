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
  /** Changes that gap markers in the stream say will never come. */
  readonly gaps: number;
  /** In the stream although the client never heard so: allowed, an acknowledgement may be lost. */
  readonly unacknowledgedStored: number;
  /** The first few of what is wrong, as sentences without the device. */
  readonly examples: readonly string[];
}

const MOST_EXAMPLES = 5;

/** Says that so many numbers are missing between two that are there. */
interface Marker {
  readonly after: number;
  before: number;
  left: number;
}

export class DeviceTally {
  readonly #seen = new NumberSet();
  readonly #markers: Marker[] = [];
  readonly #markerIds = new Set<string>();
  readonly #examples: string[] = [];
  #gaps = 0;
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
    for (const marker of this.#markers) if (number > marker.after) marker.before = Math.min(marker.before, number);
    if (!this.#seen.add(number)) {
      this.#doubled += 1;
      this.#note(`${number} is there again, after ${newest}`);
    } else if (number < newest) {
      this.#disordered += 1;
      this.#note(`${number} comes after ${newest}`);
    }
  }

  /** A gap marker at this place of the stream. One that is there again excuses nothing more. */
  seeGap(id: string, changes: number): void {
    if (this.#markerIds.has(id)) return;
    this.#markerIds.add(id);
    this.#gaps += changes;
    this.#markers.push({ after: this.#seen.greatest, before: Number.POSITIVE_INFINITY, left: changes });
  }

  /** Once the whole stream was seen. */
  findings({ acknowledged }: Published): Findings {
    const missing: number[] = [];
    let stored = 0;
    for (const number of acknowledged) {
      if (this.#seen.has(number)) stored += 1;
      else if (!this.#isNamed(number)) missing.push(number);
    }
    const lostExamples = missing.slice(0, MOST_EXAMPLES).map((number) => `${number} was acknowledged and is not there`);
    return {
      lost: missing.length,
      doubled: this.#doubled,
      disordered: this.#disordered,
      invented: this.#invented,
      gaps: this.#gaps,
      unacknowledgedStored: this.#seen.size - stored,
      // What is lost first: it is the worst, and one message that is there twice would fill the list.
      examples: [...lostExamples, ...this.#examples].slice(0, MOST_EXAMPLES),
    };
  }

  /** Each marker excuses as many as it names, where it stands. */
  #isNamed(number: number): boolean {
    const marker = this.#markers.find(({ after, before, left }) => left > 0 && after < number && number < before);
    if (marker === undefined) return false;
    marker.left -= 1;
    return true;
  }

  #note(sentence: string): void {
    if (this.#examples.length < MOST_EXAMPLES) this.#examples.push(sentence);
  }
}
