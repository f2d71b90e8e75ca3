// What the MQTT broker counts, under the names that docs/reference/metrics.md lists.
import { counter, gauge, samplesOf, type Metric, type Sample } from '../../kit/metrics.ts';

type Counts = Readonly<Record<string, number>>;

interface SessionNumbers {
  readonly sessions: number;
  readonly sessionsAway: number;
  readonly queuedMessages: number;
  readonly queuedBytes: number;
  readonly droppedMessages: Counts;
  readonly subscriptions: number;
  readonly refusedSubscriptions: number;
  readonly expiredSessions: number;
  readonly retainedTopics: number;
  readonly retainedBytes: number;
  readonly wills: number;
  readonly willBytes: number;
  readonly recordsSetAside: number;
}

export interface BrokerNumbers {
  readonly clients: number;
  /** By reason. */
  readonly refused: Counts;
  readonly ended: Counts;
  /** By action. */
  readonly denied: Counts;
  /** By QoS. */
  readonly receivedMessages: Counts;
  readonly sentMessages: number;
  readonly receivedBytes: number;
  readonly sentBytes: number;
  readonly backlogBytes: number;
  readonly unfinishedBytes: number;
  readonly openPublications: number;
  /** `undefined` while the broker does not run. */
  readonly sessions: SessionNumbers | undefined;
}

type Read = () => BrokerNumbers;

export const brokerMetrics = (broker: Read): readonly Metric[] => [
  ...connectionMetrics(broker),
  ...trafficMetrics(broker),
  ...sessionMetrics(broker),
  ...keptMetrics(broker),
  ...recordMetrics(broker),
];

const connectionMetrics = (broker: Read): readonly Metric[] => [
  gauge('skerry_broker_connections', 'MQTT clients that are connected.', () => broker().clients),
  counter('skerry_broker_refused_connections_total', 'Connections that were not let in, by reason.', () =>
    samplesOf('reason', broker().refused),
  ),
  counter('skerry_broker_ended_connections_total', 'Connections of clients that ended, by reason.', () =>
    samplesOf('reason', broker().ended),
  ),
  counter('skerry_broker_denied_total', 'What clients asked for and may not do, by action.', () =>
    samplesOf('action', broker().denied),
  ),
];

const trafficMetrics = (broker: Read): readonly Metric[] => [
  counter('skerry_broker_received_messages_total', 'Publications of clients, by QoS.', () =>
    samplesOf('qos', broker().receivedMessages),
  ),
  counter('skerry_broker_sent_messages_total', 'Messages to clients, each client counted.', () => [
    { value: broker().sentMessages },
  ]),
  counter('skerry_broker_received_bytes_total', 'Bytes that came from clients.', () => [
    { value: broker().receivedBytes },
  ]),
  counter('skerry_broker_sent_bytes_total', 'Bytes that went to clients.', () => [{ value: broker().sentBytes }]),
  gauge(
    'skerry_broker_backlog_bytes',
    'Bytes that wait for connected clients to take them.',
    () => broker().backlogBytes,
  ),
  gauge(
    'skerry_broker_unfinished_bytes',
    'Bytes held of packets that have begun and not ended, with 1 KiB for each chunk of them.',
    () => broker().unfinishedBytes,
  ),
  gauge(
    'skerry_broker_open_publications',
    'QoS 2 publications that connected clients have not released.',
    () => broker().openPublications,
  ),
];

const sessionMetrics = (broker: Read): readonly Metric[] => {
  const sample = ofSessions(broker);
  return [
    {
      name: 'skerry_broker_sessions',
      type: 'gauge',
      help: 'Sessions that outlive their connection, by whether their client is here.',
      read: sample(({ sessions, sessionsAway }) =>
        samplesOf('client', { here: sessions - sessionsAway, away: sessionsAway }),
      ),
    },
    counter(
      'skerry_broker_expired_sessions_total',
      'Sessions that ended because their client was away for too long.',
      sample(({ expiredSessions }) => [{ value: expiredSessions }]),
    ),
    {
      name: 'skerry_broker_queued_messages',
      type: 'gauge',
      help: 'Messages that wait for sessions, those under way included.',
      read: sample(({ queuedMessages }) => [{ value: queuedMessages }]),
    },
    {
      name: 'skerry_broker_queued_bytes',
      type: 'gauge',
      help: 'What they weigh.',
      read: sample(({ queuedBytes }) => [{ value: queuedBytes }]),
    },
    counter(
      'skerry_broker_dropped_messages_total',
      'Messages that waited for a session and were dropped, by reason.',
      sample(({ droppedMessages }) => samplesOf('reason', droppedMessages)),
    ),
  ];
};

const keptMetrics = (broker: Read): readonly Metric[] => {
  const sample = ofSessions(broker);
  return [
    {
      name: 'skerry_broker_subscriptions',
      type: 'gauge',
      help: 'Subscriptions of all clients and sessions.',
      read: sample(({ subscriptions }) => [{ value: subscriptions }]),
    },
    counter(
      'skerry_broker_refused_subscriptions_total',
      'Topic filters that were refused in a SUBACK.',
      sample(({ refusedSubscriptions }) => [{ value: refusedSubscriptions }]),
    ),
    {
      name: 'skerry_broker_retained_topics',
      type: 'gauge',
      help: 'Topics that clients retain a message on.',
      read: sample(({ retainedTopics }) => [{ value: retainedTopics }]),
    },
    {
      name: 'skerry_broker_retained_bytes',
      type: 'gauge',
      help: 'What these messages weigh.',
      read: sample(({ retainedBytes }) => [{ value: retainedBytes }]),
    },
  ];
};

const recordMetrics = (broker: Read): readonly Metric[] => {
  const sample = ofSessions(broker);
  return [
    {
      name: 'skerry_broker_wills',
      type: 'gauge',
      help: 'Last wills that are neither said nor discarded.',
      read: sample(({ wills }) => [{ value: wills }]),
    },
    {
      name: 'skerry_broker_will_bytes',
      type: 'gauge',
      help: 'What they weigh.',
      read: sample(({ willBytes }) => [{ value: willBytes }]),
    },
    counter(
      'skerry_broker_records_set_aside_total',
      'Records of sessions that could not be read.',
      sample(({ recordsSetAside }) => [{ value: recordsSetAside }]),
    ),
  ];
};

/** No samples while there are no sessions to read from. */
const ofSessions =
  (broker: Read) =>
  (read: (sessions: SessionNumbers) => readonly Sample[]): (() => readonly Sample[]) =>
  () => {
    const { sessions } = broker();
    return sessions === undefined ? [] : read(sessions);
  };
