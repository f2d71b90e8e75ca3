// What a command shows while it runs: sentences that stay, and one line that lives. Without a terminal every line is a plain line.
import { seconds, type Duration } from '../kit/units.ts';
import { printLine } from './output.ts';

export class LiveView {
  readonly #isTerminal = process.stdout.isTTY;
  readonly #plainEvery: Duration;
  #live = '';
  #plainLineAt = 0;

  constructor(plainEvery: Duration = seconds(1)) {
    this.#plainEvery = plainEvery;
  }

  say(text: string): void {
    this.#clear();
    printLine(text);
    if (this.#isTerminal) process.stdout.write(this.#live);
  }

  /** Replaces the live line; without a terminal prints it now and then, and only when it says something new. */
  show(line: string): void {
    if (!this.#isTerminal) {
      this.#showPlain(line);
      return;
    }
    const fitting = line.slice(0, Math.max(20, process.stdout.columns - 1));
    if (fitting === this.#live) return;
    this.#clear();
    this.#live = fitting;
    process.stdout.write(fitting);
  }

  end(): void {
    this.#clear();
    this.#live = '';
  }

  #showPlain(line: string): void {
    if (line === this.#live || performance.now() - this.#plainLineAt < this.#plainEvery) return;
    this.#live = line;
    this.#plainLineAt = performance.now();
    printLine(line);
  }

  #clear(): void {
    if (this.#isTerminal && this.#live !== '') process.stdout.write('\r\u001b[2K');
  }
}
