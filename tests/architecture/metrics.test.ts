// docs/reference/metrics.md lists what the processes count, no more and no less, and names keep one form.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hubMetrics } from '../../src/cloud/admin/hub-metrics.ts';
import { edgeMetrics } from '../../src/edge/admin/edge-metrics.ts';
import { HttpRefusals } from '../../src/kit/http-refusals.ts';
import { silentLogger } from '../../src/kit/logger.ts';
import type { Metric } from '../../src/kit/metrics.ts';
import { HEALTHY, type Service } from '../../src/kit/service.ts';
import { codes, tableRows } from './docs.ts';

const PAGE = 'docs/reference/metrics.md';

const part = { name: 'link', health: () => HEALTHY } as Service;
const EDGE = [
  ...edgeMetrics({
    outbox: () => ({
      ...{ entries: 1, bytes: 2, acknowledgedBytes: 1, limitBytes: 9, oldestAgeMs: 1500 },
      dropped: { twin: { bytes: 1 } },
    }),
    store: () => ({ commits: 2, writes: 1, writingMs: 250 }),
    publications: () => ({ admit: 1 }),
    rejected: () => ({ value: 1 }),
    uplink: () => ({ isLinked: true, isOpen: false, messages: { stored: 1 } }),
    devices: () => 1,
    states: () => ({ online: 1 }),
    broker: () => ({
      ...{
        clients: 1,
        refused: { connections: 1 },
        ended: { lost: 1 },
        denied: { publish: 1 },
        receivedMessages: { 0: 1 },
      },
      ...{ sentMessages: 1, receivedBytes: 1, sentBytes: 1, backlogBytes: 0, unfinishedBytes: 0, openPublications: 0 },
      sessions: {
        ...{ sessions: 1, sessionsAway: 1, queuedMessages: 1, queuedBytes: 1, droppedMessages: { expired: 1 } },
        ...{ subscriptions: 1, refusedSubscriptions: 0, expiredSessions: 0 },
        ...{ retainedTopics: 0, retainedBytes: 0, wills: 0, willBytes: 0, recordsSetAside: 0 },
      },
    }),
  }),
  new HttpRefusals(silentLogger).metric('skerry_edge_http_refusals_total'),
];
const HUB = [
  ...hubMetrics({
    leads: () => true,
    setAside: () => 3,
    joinRefusals: () => new Map([['JOIN_TOKEN_UNKNOWN', 1]]),
    natsRefusals: () => ({ publish: 1 }),
    forged: () => ({ report: 1 }),
    parts: () => [part],
  }),
  new HttpRefusals(silentLogger).metric('skerry_hub_http_refusals_total'),
];

const described = (metrics: readonly Metric[]): readonly string[] =>
  metrics.map(({ name, type, read }) => {
    const labels = new Set(read().flatMap((sample) => Object.keys(sample.labels ?? {})));
    return [name, type, ...labels].join(' ');
  });

for (const [heading, metrics] of [
  ['Edge node', EDGE],
  ['Hub', HUB],
] as const)
  void test(`the metrics are listed with type and labels: ${heading}`, () => {
    const listed = tableRows(PAGE, heading).map(([name, type = '', labels]) =>
      [...codes(name), type, ...codes(labels)].join(' '),
    );

    assert.deepEqual(listed, described(metrics));
  });

void test('names say area and thing, counters end in _total and nothing else does, help is a sentence', () => {
  for (const { name, type, help } of [...EDGE, ...HUB]) {
    assert.match(name, /^skerry_[a-z]+(_[a-z]+)+$/);
    assert.equal(name.endsWith('_total'), type === 'counter', name);
    assert.match(help, /\.$|--[a-z-]+\.$/, name);
  }
});
