// State beside facts: what people look at is right as soon as the link is back, and the history completes behind it.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventsInStream } from '../support/counted-publications.ts';
import { Outage } from '../support/outage.ts';
import { waitUntil } from '../support/wait-until.ts';

/** Narrow enough that the history is on its way for some seconds. */
const BYTES_PER_SECOND = 400_000;

void test('after an outage Kubernetes shows the newest of every device before its history is there, which follows whole, in order and marked', async () => {
  await using outage = await Outage.begin(20);
  const { devices, shown, road, site } = outage;
  const newest = 300;
  await outage.report(2, newest);

  road.open(BYTES_PER_SECOND);
  await waitUntil('the newest of every device in Kubernetes', () => shown.all(devices, newest));
  const early = await eventsInStream(await site.natsAccess());

  assert.ok(
    early.filter(({ property }) => property === 'number').length < devices.length * newest,
    'the history was there before the newest values',
  );
  await waitUntil('the outbox to be empty', async () => (await outage.status()).backlog === 0, 60_000);
  const events = await eventsInStream(await site.natsAccess());
  const whole = Array.from({ length: newest }, (_, n) => n + 1);
  for (const device of devices) {
    const reported = events.filter((event) => event.property === 'number' && event.device.name === device);
    assert.deepEqual(
      reported.map(({ value }) => Number(value)),
      whole,
      device,
    );
    assert.ok(
      reported.every(({ value, historical }) => historical || Number(value) === 1),
      `${device}: what was made while the link was cut is marked historical`,
    );
  }
  assert.deepEqual(shown.setbacks, []);
});
