// A hub or an edge node that is killed on purpose and comes back. One that ends without having been killed is a finding.
import { ms, type Duration } from '../../kit/units.ts';
import type { Deadline } from '../../kit/deadline.ts';
import { ChildProgram } from '../child-program.ts';

export interface SitePartConfig {
  readonly name: string;
  readonly args: readonly string[];
  readonly logFile: string;
}

export class SitePart {
  readonly name: string;
  readonly logFile: string;
  readonly #child: ChildProgram;
  readonly #crashes: string[] = [];
  #isServing = false;
  /** Kills whose end we have not seen yet. */
  #awaitedEnds = 0;
  #away = ms(0);

  constructor({ name, args, logFile }: SitePartConfig) {
    this.name = name;
    this.logFile = logFile;
    this.#child = new ChildProgram({
      name,
      args: () => args,
      logFile,
      onReady: () => {
        this.#isServing = true;
      },
      onExit: (how) => this.#ended(how),
      restartAfter: () => this.#away,
    });
  }

  get isServing(): boolean {
    return this.#isServing;
  }

  /** Sentences, one for each time that it ended by itself. */
  get crashes(): readonly string[] {
    return this.#crashes;
  }

  start(): Promise<void> {
    return this.#child.start();
  }

  stop(deadline: Deadline): Promise<void> {
    return this.#child.stop(deadline);
  }

  /** Not started again from now on. */
  close(): void {
    this.#child.close();
  }

  /** SIGKILL, also while it is starting; it comes back after that time. False when it is away already. */
  kill(away: Duration): boolean {
    this.#away = away;
    this.#isServing = false;
    if (!this.#child.kill()) return false;
    this.#awaitedEnds += 1;
    return true;
  }

  #ended(how: string): void {
    this.#isServing = false;
    if (this.#awaitedEnds > 0) this.#awaitedEnds -= 1;
    else this.#crashes.push(`${this.name} ended by itself: ${how} (its log is ${this.logFile})`);
  }
}
