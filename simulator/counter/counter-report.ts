// A counter's report in KubeEdge's twin/update form. Pure.
import type { Switch } from './counter.ts';

/** What there is to say; what did not change is left out. */
export interface CounterNews {
  readonly status?: Switch;
  readonly count?: number;
}

/**
 * The payload of a twin/update. The status goes with `expected` of the same value: that confirms that the desired status was seen.
 * The event id makes a resend recognisable.
 */
export function reportPayload(news: CounterNews, eventId: string, timestamp: number): string {
  const { status, count } = news;
  const twin = {
    ...(status === undefined
      ? {}
      : { status: { expected: { value: status }, actual: { value: status }, metadata: { type: 'string' } } }),
    ...(count === undefined ? {} : { count: { actual: { value: String(count) }, metadata: { type: 'int' } } }),
  };
  return JSON.stringify({ event_id: eventId, timestamp, twin });
}
