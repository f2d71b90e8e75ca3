import type { HttpVerdict } from './http-access.ts';
import type { HttpClosing } from './http-listener.ts';
import type { LogFields, Logger } from './logger.ts';
import { counter, samplesOf, Tally, type Metric } from './metrics.ts';
import { Sampler } from './sampler.ts';
import { seconds } from './units.ts';

export type HttpRefusal = HttpClosing | Exclude<HttpVerdict, 'pass'> | 'unknown' | 'method' | 'too-large' | 'refused';

const REFUSALS: readonly HttpRefusal[] = [
  ...(['connections', 'greeting', 'handshake', 'malformed', 'needs-tls', 'untrusted-host'] as const),
  ...(['unauthorized', 'unknown', 'method', 'too-large', 'refused'] as const),
];
const LINES = 5;
const LINES_PER = seconds(10);

/** Counts whom an HTTP server refused, and says so in the log: a few lines of each reason at a time. */
export class HttpRefusals {
  readonly #logger: Logger;
  readonly #tally = new Tally<HttpRefusal>(REFUSALS);
  readonly #lines = new Sampler<HttpRefusal>(LINES, LINES_PER);

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  metric(name: string): Metric {
    return counter(name, 'Connections and requests that were refused over HTTP.', () =>
      samplesOf('reason', this.#tally.counts),
    );
  }

  add(refusal: HttpRefusal, fields: LogFields): void {
    this.#tally.add(refusal);
    const leftOut = this.#lines.take(refusal, performance.now());
    if (leftOut === undefined) return;
    this.#logger.warn({ refusal, ...fields, ...(leftOut > 0 && { linesLeftOut: leftOut }) }, 'refused over HTTP');
  }
}
