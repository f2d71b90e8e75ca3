// Messages that nobody wrote: somebody had the NATS server send an answer where he may not write (ADR 0034). None is believed; each
// is counted, and told with the subject that says who it was.
import type { Logger } from '../kit/logger.ts';
import { Tally } from '../kit/metrics.ts';
import { Sampler } from '../kit/sampler.ts';
import { seconds } from '../kit/units.ts';
import type { ServerMade } from '../nats/server-made.ts';

export const FORGED_PLACES = ['report', 'heartbeat', 'desired'] as const;
export type ForgedPlace = (typeof FORGED_PLACES)[number];

const LINES = 5;
const LINES_PER = seconds(10);

export class Forgeries {
  readonly #logger: Logger;
  readonly #tally = new Tally<ForgedPlace>(FORGED_PLACES);
  readonly #lines = new Sampler<ForgedPlace>(LINES, LINES_PER);

  constructor(tools: { readonly logger: Logger }) {
    this.#logger = tools.logger;
  }

  get counts(): Readonly<Record<ForgedPlace, number>> {
    return this.#tally.counts;
  }

  /** @param subject where it was found */
  note(place: ForgedPlace, subject: string, { from }: ServerMade): void {
    this.#tally.add(place);
    const leftOut = this.#lines.take(place, performance.now());
    if (leftOut === undefined) return;
    const fields = { place, subject, from, ...(leftOut > 0 && { linesLeftOut: leftOut }) };
    this.#logger.error(fields, 'forged: somebody had the NATS server answer there');
  }
}
