// What clients asked for and may not do: counted by action, and said in the log, though not every one of a flood.
import type { Logger } from '../../src/kit/logger.ts';
import { Tally } from '../../src/kit/metrics.ts';
import { Sampler } from '../../src/kit/sampler.ts';
import { seconds } from '../../src/kit/units.ts';

export const DENIED_ACTIONS = ['publish', 'subscribe', 'receive', 'will'] as const;
export type DeniedAction = (typeof DENIED_ACTIONS)[number];

/** Log lines of one action in one time. */
const LINES = 5;
const LINES_PER = seconds(10);
/** Of a text that is as long as its client likes. */
const SHOWN = 100;

const SAYS: Readonly<Record<DeniedAction, string>> = {
  publish: 'a client may not publish to this topic',
  subscribe: 'a client may not subscribe to this filter',
  receive: 'a message is withheld: its subscriber may not hear this topic any more',
  will: 'a client may not leave, or have said, a will on this topic',
};

export interface Denied {
  readonly client: string;
  readonly user: string | undefined;
  readonly topic: string;
}

export class Denials {
  readonly #counts = new Tally(DENIED_ACTIONS);
  readonly #lines = new Sampler<DeniedAction>(LINES, LINES_PER);
  readonly #logger: Logger;

  constructor(tools: { readonly logger: Logger }) {
    this.#logger = tools.logger;
  }

  get counts(): Readonly<Record<DeniedAction, number>> {
    return this.#counts.counts;
  }

  add(action: DeniedAction, { client, user, topic }: Denied): void {
    this.#counts.add(action);
    const leftOut = this.#lines.take(action, performance.now());
    if (leftOut === undefined) return;
    const fields = { client: client.slice(0, SHOWN), user: user?.slice(0, SHOWN), topic: topic.slice(0, SHOWN) };
    this.#logger.warn({ ...fields, action, ...(leftOut > 0 && { linesLeftOut: leftOut }) }, SAYS[action]);
  }
}
