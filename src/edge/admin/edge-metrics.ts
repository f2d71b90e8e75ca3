// What the edge node counts, under the names that docs/reference/metrics.md lists.
import { counter, gauge, samplesOf, type Metric } from '../../kit/metrics.ts';
import { brokerMetrics, type BrokerNumbers } from './broker-metrics.ts';

type Counts = Readonly<Record<string, number>>;

/** Each read when somebody scrapes. */
export interface EdgeMetricSources {
  readonly outbox: () => {
    readonly entries: number;
    readonly bytes: number;
    readonly acknowledgedBytes: number;
    readonly limitBytes: number;
    readonly oldestAgeMs: number;
    /** By class, then by reason. */
    readonly dropped: Readonly<Record<string, Counts>>;
  };
  readonly store: () => { readonly commits: number; readonly writes: number; readonly writingMs: number };
  /** By the gate's answer. */
  readonly publications: () => Counts;
  /** By what was wrong. */
  readonly rejected: () => Counts;
  readonly uplink: () => {
    readonly isLinked: boolean;
    readonly isOpen: boolean;
    /** By what became of them. */
    readonly messages: Counts;
  };
  readonly devices: () => number;
  /** Devices by state. */
  readonly states: () => Counts;
  readonly broker: () => BrokerNumbers;
}

export function edgeMetrics(sources: EdgeMetricSources): readonly Metric[] {
  return [
    ...outboxMetrics(sources),
    ...storeMetrics(sources),
    ...uplinkMetrics(sources),
    ...deviceMetrics(sources),
    ...brokerMetrics(sources.broker),
  ];
}

function outboxMetrics({ outbox }: EdgeMetricSources): readonly Metric[] {
  return [
    gauge('skerry_outbox_entries', 'Facts that the stream has not acknowledged.', () => outbox().entries),
    gauge('skerry_outbox_bytes', 'What the facts on disk weigh, acknowledged ones too.', () => outbox().bytes),
    gauge(
      'skerry_outbox_acknowledged_bytes',
      'Of these, what the stream has acknowledged; it goes first.',
      () => outbox().acknowledgedBytes,
    ),
    gauge('skerry_outbox_limit_bytes', 'What they may weigh: --outbox-bytes.', () => outbox().limitBytes),
    gauge(
      'skerry_outbox_oldest_age_seconds',
      'How long the oldest waiting fact has been there; 0 when none waits.',
      () => outbox().oldestAgeMs / 1000,
    ),
    {
      name: 'skerry_outbox_dropped_changes_total',
      type: 'counter',
      help: 'Changes that a limit kept from the stream, by class and reason; gap markers name the same number.',
      read: () =>
        Object.entries(outbox().dropped).flatMap(([chainClass, counts]) =>
          Object.entries(counts).map(([reason, value]) => ({ labels: { class: chainClass, reason }, value })),
        ),
    },
  ];
}

function storeMetrics({ store }: EdgeMetricSources): readonly Metric[] {
  return [
    counter('skerry_store_commits_total', 'Transactions on disk.', () => [{ value: store().commits }]),
    {
      name: 'skerry_store_write_seconds',
      type: 'summary',
      help: 'Time to write and sync a batch of them.',
      read: () => [
        { part: 'sum', value: store().writingMs / 1000 },
        { part: 'count', value: store().writes },
      ],
    },
  ];
}

function uplinkMetrics({ uplink }: EdgeMetricSources): readonly Metric[] {
  return [
    gauge('skerry_uplink_linked', '1 while there is a connection to NATS.', () => Number(uplink().isLinked)),
    gauge('skerry_uplink_open', '1 while the claim holds and facts are published.', () => Number(uplink().isOpen)),
    counter('skerry_uplink_messages_total', 'Messages of the chains, by what became of them.', () =>
      samplesOf('result', uplink().messages),
    ),
  ];
}

function deviceMetrics({ publications, rejected, devices, states }: EdgeMetricSources): readonly Metric[] {
  return [
    counter(
      'skerry_ingress_publications_total',
      "Publications to requests and to topics that go up, by the gate's answer.",
      () => samplesOf('answer', publications()),
    ),
    counter('skerry_rejected_publications_total', 'Publications that were refused, by what was wrong.', () =>
      samplesOf('reason', rejected()),
    ),
    gauge('skerry_twin_devices', 'Devices with a twin on this node.', devices),
    {
      name: 'skerry_twin_states',
      type: 'gauge',
      help: 'The same devices by state; none: of which nothing was heard yet.',
      read: () => samplesOf('state', states()),
    },
  ];
}
