// What the demo shows: sentences that stay, and one line that lives. Without a terminal every line is a plain line.
import { printLine } from '../output.ts';

export interface DemoPicture {
  readonly device: string;
  /** The newest count that the edge node acknowledged to the counter. */
  readonly counted: number | undefined;
  /** What Kubernetes shows for the Device. */
  readonly inKubernetes: string | undefined;
  /** Unknown until the edge node was first asked. */
  readonly isLinked: boolean | undefined;
  /** Facts stored on the edge node that the cloud has not confirmed. */
  readonly waiting: number | undefined;
}

export function pictureLine({ device, counted, inKubernetes, isLinked, waiting }: DemoPicture): string {
  const link = isLinked === false ? '✂ no link ✂' : '→';
  const shown = inKubernetes === undefined || inKubernetes === '' ? 'nothing yet' : inKubernetes;
  return `${device} counts ${counted ?? '…'}  →  edge node keeps it, ${waiting ?? 0} waiting  ${link}  Kubernetes shows ${shown}`;
}

export class DemoView {
  readonly #isTerminal = process.stdout.isTTY;
  #live = '';
  #plainLineAt = 0;

  say(text: string): void {
    this.#clear();
    printLine(text);
    if (this.#isTerminal) process.stdout.write(this.#live);
  }

  /** Replaces the live line; without a terminal prints it at most once a second, and only when it says something new. */
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
    if (line === this.#live || performance.now() - this.#plainLineAt < 1000) return;
    this.#live = line;
    this.#plainLineAt = performance.now();
    printLine(line);
  }

  #clear(): void {
    if (this.#isTerminal && this.#live !== '') process.stdout.write('\r\u001b[2K');
  }
}
