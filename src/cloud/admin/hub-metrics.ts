// What the hub counts, under the names that docs/reference/metrics.md lists.
import { samplesOf, type Metric } from '../../kit/metrics.ts';
import type { Service } from '../../kit/service.ts';

export interface HubMetricSources {
  readonly leads: () => boolean;
  readonly setAside: () => number;
  /** By code. */
  readonly joinRefusals: () => ReadonlyMap<string, number>;
  /** By reason. */
  readonly natsRefusals: () => Readonly<Record<string, number>>;
  /** By place. */
  readonly forged: () => Readonly<Record<string, number>>;
  readonly parts: () => readonly Service[];
}

export function hubMetrics(sources: HubMetricSources): readonly Metric[] {
  const { leads, setAside, joinRefusals, natsRefusals, forged, parts } = sources;
  return [
    {
      ...{ name: 'skerry_hub_leading', type: 'gauge', help: '1 while this hub is the one that works.' },
      read: () => [{ value: Number(leads()) }],
    },
    {
      ...{ name: 'skerry_hub_poison_messages_total', type: 'counter' },
      help: 'Messages that can never be used, set aside since the start of the hub.',
      read: () => [{ value: setAside() }],
    },
    {
      ...{ name: 'skerry_hub_join_refusals_total', type: 'counter' },
      help: 'Nodes that were not let in, or whose credentials were not renewed.',
      read: () => [...joinRefusals()].map(([code, value]) => ({ labels: { code }, value })),
    },
    {
      ...{ name: 'skerry_hub_nats_refusals_total', type: 'counter' },
      help: 'What the nats-server of the hub refused its users, and whom it did not let in.',
      read: () => samplesOf('reason', natsRefusals()),
    },
    {
      ...{ name: 'skerry_hub_forged_messages_total', type: 'counter' },
      help: 'Answers of the NATS server that somebody had sent where he may not write.',
      read: () => samplesOf('place', forged()),
    },
    {
      ...{
        name: 'skerry_hub_part_healthy',
        type: 'gauge',
        help: '1 while the part is well; /readyz says what it lacks.',
      },
      read: () => parts().map((part) => ({ labels: { part: part.name }, value: Number(part.health().state === 'ok') })),
    },
  ];
}
