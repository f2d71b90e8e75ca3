import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Broker } from '../../../broker/index.ts';
import { CounterDevice, type CounterReport } from '../../../simulator/counter/counter-device.ts';
import { Deadline } from '../../../src/kit/deadline.ts';
import { silentLogger } from '../../../src/kit/logger.ts';
import { seconds } from '../../../src/kit/units.ts';
import { waitUntil } from '../../support/wait-until.ts';
import { startBroker, TWIN_UPDATE, type RunningBroker } from '../broker/running-broker.ts';
import { stopsByItself } from '../../support/stops.ts';

const device = { namespace: 'default', name: 'counter' };
const MAPPER_TOPIC = '$skerry/mapper/virtualProtocol/default/counter';

interface Twin {
  readonly status?: { readonly expected: { readonly value: string }; readonly actual: { readonly value: string } };
  readonly count?: { readonly actual: { readonly value: string }; readonly metadata: { readonly type: string } };
}

interface Report {
  readonly event_id: string;
  readonly twin: Twin;
}

/** What the edge would publish for this desired status. */
function desire(broker: Broker, desired: string | undefined): Promise<void> {
  const status = {
    name: 'status',
    type: 'STRING',
    accessMode: 'ReadWrite',
    ...(desired === undefined ? {} : { desired }),
  };
  const properties = [status, { name: 'count', type: 'INT', accessMode: 'ReadOnly' }];
  const payload = JSON.stringify({ device, protocol: 'virtualProtocol', properties });
  return broker.publish(MAPPER_TOPIC, payload, { retain: true });
}

const reportsAt = ({ gate }: RunningBroker): Report[] =>
  gate.asked
    .filter(({ topic }) => topic === TWIN_UPDATE)
    .map(({ payload }) => JSON.parse(Buffer.from(payload).toString()) as Report);

const countsAt = (running: RunningBroker): number[] =>
  reportsAt(running).flatMap(({ twin }) => (twin.count === undefined ? [] : [Number(twin.count.actual.value)]));

const statusesAt = (running: RunningBroker): string[] =>
  reportsAt(running).flatMap(({ twin }) => (twin.status === undefined ? [] : [twin.status.actual.value]));

async function startCounter(port: number, intervalMs = 20): Promise<CounterDevice & AsyncDisposable> {
  const counter = new CounterDevice(
    { mqttUrl: `mqtt://127.0.0.1:${port}`, device, intervalMs },
    { logger: silentLogger },
  );
  await counter.start(new AbortController().signal);
  return Object.assign(counter, { [Symbol.asyncDispose]: () => counter.stop(Deadline.after(seconds(5))) });
}

void test('desired ON makes it report its status, confirm the desired value, and count from 0', async () => {
  await using running = await startBroker();
  await using counter = await startCounter(running.port);
  const told: CounterReport[] = [];
  counter.onReport((report) => told.push(report));

  await desire(running.broker, 'ON');
  await waitUntil('a count of 3', () => countsAt(running).includes(3));

  assert.deepEqual(countsAt(running).slice(0, 4), [0, 1, 2, 3]);
  assert.deepEqual(reportsAt(running)[0]?.twin, {
    status: { expected: { value: 'ON' }, actual: { value: 'ON' }, metadata: { type: 'string' } },
    count: { actual: { value: '0' }, metadata: { type: 'int' } },
  });
  assert.ok(running.gate.asked.every(({ qos }) => qos === 1));
  await waitUntil('the acknowledgement to be told', () =>
    told.some((one) => one.phase === 'acknowledged' && one.count === 2),
  );
});

void test('OFF keeps the last count and stops at once; ON starts from 0 again', async () => {
  await using running = await startBroker();
  await using counter = await startCounter(running.port);
  await desire(running.broker, 'ON');
  await waitUntil('a count of 2', () => countsAt(running).includes(2));

  await desire(running.broker, 'OFF');
  await waitUntil('the status OFF', () => statusesAt(running).at(-1) === 'OFF');
  const shown = countsAt(running).at(-1);
  assert.deepEqual(counter.counter, { status: 'OFF', count: shown });
  const quiet = running.gate.asked.length;
  const since = performance.now();
  await waitUntil('five intervals to pass', () => performance.now() > since + 100);
  assert.equal(running.gate.asked.length, quiet);

  await desire(running.broker, 'ON');
  await waitUntil('counting again', () => countsAt(running).lastIndexOf(1) > quiet - 2);
  assert.deepEqual(statusesAt(running), ['ON', 'OFF', 'ON']);
});

void test('a definition that is published again with the same desired status is not answered twice', async () => {
  await using running = await startBroker();
  await using counter = await startCounter(running.port, 60_000);
  await desire(running.broker, 'OFF');
  await waitUntil('the first status', () => statusesAt(running).includes('OFF'));

  for (const desired of ['OFF', undefined, 'sideways', 'OFF', 'ON']) await desire(running.broker, desired);
  await waitUntil('the last status', () => statusesAt(running).includes('ON'));

  assert.deepEqual(statusesAt(running), ['OFF', 'ON']);
  assert.deepEqual(counter.counter, { status: 'ON', count: 0 });
});

void test('a removed device falls silent, and reports again when it comes back', async () => {
  await using running = await startBroker();
  await using counter = await startCounter(running.port);
  await desire(running.broker, 'ON');
  await waitUntil('counting', () => countsAt(running).includes(1));

  await running.broker.publish(MAPPER_TOPIC, '', { retain: true });
  await waitUntil('silence', () => counter.counter.status === 'OFF');
  await desire(running.broker, 'OFF');
  await waitUntil('a report', () => statusesAt(running).at(-1) === 'OFF');
});

void test('it starts before its broker and finds what is desired when the broker comes', async () => {
  const first = await startBroker();
  const { port } = first;
  await first.stop();
  await using counter = await startCounter(port);
  assert.equal(counter.health().state, 'degraded');

  await using running = await startBroker({}, port);
  await desire(running.broker, 'ON');

  await waitUntil('counting', () => countsAt(running).includes(2));
  assert.equal(counter.health().state, 'ok');
});

void test('it survives a broker’s restart: what was not acknowledged is sent again, under the same event id', async () => {
  const first = await startBroker();
  await desire(first.broker, 'ON');
  await using counter = await startCounter(first.port);
  await waitUntil('counting', () => countsAt(first).includes(2));
  first.gate.answer = () => Promise.resolve({ kind: 'unavailable' });
  const lost = await waitUntil('an unacknowledged report', () => {
    const { asked } = first.gate;
    return asked.length > 4 ? reportsAt(first).at(-1)?.event_id : undefined;
  });
  await first.stop();

  await using second = await startBroker({}, first.port);
  await desire(second.broker, 'ON');

  await waitUntil('the resend', () => reportsAt(second).some((report) => report.event_id === lost));
  const reached = counter.counter.count;
  await waitUntil('the count to go on', () => countsAt(second).includes(reached + 1));
  await waitUntil('the status for the new broker', () => statusesAt(second).length > 0);
  assert.deepEqual(statusesAt(second), ['ON']);
});

void test('reports under way are bounded while the broker is silent; the newest count arrives when it is back', async () => {
  await using running = await startBroker();
  const releases: (() => void)[] = [];
  await using counter = await startCounter(running.port, 1);
  let sent = 0;
  let acknowledged = 0;
  counter.onReport(({ phase }) => {
    if (phase === 'sent') sent += 1;
    else acknowledged += 1;
  });
  running.gate.answer = () =>
    new Promise((resolve) => {
      releases.push(() => {
        resolve({ kind: 'admit' });
      });
    });
  await desire(running.broker, 'ON');
  await waitUntil('far more counts than reports', () => counter.counter.count > 250);

  assert.equal(sent - acknowledged, 100);
  running.gate.answer = () => Promise.resolve({ kind: 'admit' });
  await waitUntil('all held answers', () => {
    for (const release of releases.splice(0)) release();
    return countsAt(running).some((count) => count > 250);
  });
});

void test('it stops within its deadline whether the broker answers, is silent, or is gone', async () => {
  const running = await startBroker();
  await desire(running.broker, 'ON');
  const answered = await startCounter(running.port);
  const silent = await startCounter(running.port);
  const gone = await startCounter(running.port);
  await waitUntil('all to count', () => [answered, silent, gone].every(({ counter }) => counter.count > 1));

  await answered.stop(Deadline.after(seconds(5)));
  running.gate.answer = () => new Promise(() => undefined);
  const before = running.gate.asked.length;
  await waitUntil('unanswered reports', () => running.gate.asked.length > before + 2);
  await silent.stop(Deadline.after(seconds(0.2)));
  await running.listeners.stop(Deadline.after(seconds(0.1)));
  await running.broker.stop(Deadline.after(seconds(0.1)));
  await stopsByItself(gone);
});

void test('a stop that waits for acknowledgements gives up when the connection is lost', async () => {
  const running = await startBroker();
  await desire(running.broker, 'ON');
  const counter = await startCounter(running.port);
  running.gate.answer = () => new Promise(() => undefined);
  await waitUntil('an unanswered report', () => running.gate.asked.length > 0);

  const stopped = stopsByItself(counter);
  await running.listeners.stop(Deadline.after(seconds(0.1)));
  await stopped;

  await running.broker.stop(Deadline.after(seconds(0.1)));
});
