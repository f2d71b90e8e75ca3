// What the hub counts, under the names that docs/reference/metrics.md lists.
import type { Metric } from '../../kit/metrics.ts';
import type { Service } from '../../kit/service.ts';

export interface HubMetricSources {
  readonly leads: () => boolean;
  readonly setAside: () => number;
  /** By code. */
  readonly joinRefusals: () => ReadonlyMap<string, number>;
  readonly parts: () => readonly Service[];
}

export function hubMetrics({ leads, setAside, joinRefusals, parts }: HubMetricSources): readonly Metric[] {
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
      ...{
        name: 'skerry_hub_part_healthy',
        type: 'gauge',
        help: '1 while the part is well; /readyz says what it lacks.',
      },
      read: () => parts().map((part) => ({ labels: { part: part.name }, value: Number(part.health().state === 'ok') })),
    },
  ];
}
