// State beside facts, with a backlog of 100,000: how long until Kubernetes shows the newest of every device, and until the history is
// whole. The times are printed and not asserted, because they are the machine's too; DEVICES and FACTS change the size.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { numbersInStream } from '../support/counted-publications.ts';
import { Outage } from '../support/outage.ts';
import { waitUntil } from '../support/wait-until.ts';

const { DEVICES = '100', FACTS = '100000' } = process.env;

test(`after an outage with ${FACTS} facts of ${DEVICES} devices Kubernetes shows the newest, and the history completes`, async (t) => {
  await using outage = await Outage.begin(Number(DEVICES));
  const { devices, shown, road, site } = outage;
  const newest = 1 + Math.ceil(Number(FACTS) / devices.length);
  await outage.report(2, newest);

  const begun = performance.now();
  const since = (): string => `${((performance.now() - begun) / 1000).toFixed(2)} s`;
  road.open();
  await waitUntil('the newest of every device in Kubernetes', () => shown.all(devices, newest), 60_000);
  t.diagnostic(`the newest of all ${devices.length} devices in Kubernetes ${since()} after the link was back`);
  await waitUntil('the outbox to be empty', async () => (await outage.status()).backlog === 0, 120_000);
  t.diagnostic(`the history in the stream ${since()} after the link was back`);

  const whole = Array.from({ length: newest }, (_, n) => n + 1);
  const delivered = await numbersInStream(await site.natsAccess());
  for (const device of devices) assert.deepEqual(delivered.get(device), whole, device);
  assert.deepEqual(shown.setbacks, []);
});
