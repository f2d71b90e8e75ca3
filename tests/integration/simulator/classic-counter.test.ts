import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ClassicCounterClient } from '../../support/classic-counter-client.ts';
import { waitUntil } from '../../support/wait-until.ts';
import { startBroker } from '../broker/running-broker.ts';

const UPDATE = '$hw/events/device/counter/twin/update';

void test('the classic tutorial’s client counts on ON and reports 0 on OFF, at QoS 0 and on the one-level address', async () => {
  await using running = await startBroker();
  await using client = await ClassicCounterClient.start(`mqtt://127.0.0.1:${running.port}`, 20);
  const document = (value: string): Promise<void> =>
    running.broker.publish(
      `${UPDATE}/document`,
      JSON.stringify({
        event_id: '',
        timestamp: 0,
        twin: { status: { last: null, current: { expected: { value } } } },
      }),
    );
  const reports = (): string[] => running.gate.asked.map(({ payload }) => Buffer.from(payload).toString());
  const report = (value: string): string =>
    `{"event_id":"","timestamp":0,"twin":{"status":{"actual":{"value":"${value}"},"metadata":{"type":"Updated"}}}}`;

  await document('ON');
  await waitUntil('a count of 2', () => reports().length >= 2);
  assert.deepEqual(reports().slice(0, 2), [report('1'), report('2')]);
  await document('OFF');
  await waitUntil('a zero', () => reports().at(-1) === report('0'));

  assert.equal(client.isCounting, false);
  assert.ok(running.gate.asked.every(({ topic, qos }) => topic === UPDATE && qos === 0));
});
