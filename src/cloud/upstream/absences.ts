// Whether a Device that is not in the watched list is gone. A list may be incomplete, and what is reported of a device that is taken
// for gone is lost; so the API server is asked for it by its name, seldom for the same one, and not while it is away.
import { SharedBackoff } from '../../kit/shared-backoff.ts';
import { ms, seconds } from '../../kit/units.ts';

export interface AbsenceTools {
  /** Rejects when nobody can tell now. */
  readonly exists: (key: string, signal: AbortSignal) => Promise<boolean>;
  /** Asks for a new list, because one was incomplete. */
  readonly relist: () => void;
}

type Answer = 'gone' | 'there' | 'unknown';

interface Asked {
  readonly answer: Promise<Answer>;
  readonly at: number;
}

const GOOD_FOR = seconds(5);
const MOST_KNOWN = 1000;
const AWAY = { first: ms(200), most: seconds(4) };
const AT_ONCE = 8;

export class Absences {
  readonly #tools: AbsenceTools;
  readonly #asked = new Map<string, Asked>();
  readonly #backoff = new SharedBackoff(AWAY, AT_ONCE);
  #asking = 0;
  #relistedAt = Number.NEGATIVE_INFINITY;

  constructor(tools: AbsenceTools) {
    this.#tools = tools;
  }

  /** False also while it cannot be told. Never rejects. */
  async isGone(key: string, signal: AbortSignal): Promise<boolean> {
    const known = this.#asked.get(key);
    if (known !== undefined && performance.now() - known.at < GOOD_FOR) return (await known.answer) === 'gone';
    if (this.#asking >= this.#backoff.places) return false;
    const answer = this.#ask(key, signal);
    this.#keep(key, { answer, at: performance.now() });
    return (await answer) === 'gone';
  }

  async #ask(key: string, signal: AbortSignal): Promise<Answer> {
    this.#asking += 1;
    try {
      const exists = await this.#tools.exists(key, signal);
      this.#backoff.succeeded();
      if (exists) this.#relist();
      return exists ? 'there' : 'gone';
    } catch {
      this.#backoff.failed();
      return 'unknown';
    } finally {
      this.#asking -= 1;
    }
  }

  #relist(): void {
    if (performance.now() - this.#relistedAt < GOOD_FOR) return;
    this.#relistedAt = performance.now();
    this.#tools.relist();
  }

  #keep(key: string, asked: Asked): void {
    this.#asked.delete(key);
    this.#asked.set(key, asked);
    const [oldest] = this.#asked.keys();
    if (this.#asked.size > MOST_KNOWN && oldest !== undefined) this.#asked.delete(oldest);
  }
}
