import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Absences } from '../../../../../src/cloud/upstream/absences.ts';
import { waitUntil } from '../../../../support/wait-until.ts';

const NEVER = new AbortController().signal;

class ApiServer {
  readonly asked: string[] = [];
  relisted = 0;
  answer: () => Promise<boolean> = () => Promise.resolve(false);

  exists(key: string): Promise<boolean> {
    this.asked.push(key);
    return this.answer();
  }
}

const absencesOver = (server: ApiServer): Absences =>
  new Absences({ exists: (key) => server.exists(key), relist: () => (server.relisted += 1) });

void test('a device is gone when the API server says so, and that is believed for a while', async () => {
  const server = new ApiServer();
  const absences = absencesOver(server);

  for (let n = 0; n < 100; n += 1) assert.equal(await absences.isGone('plant/boiler', NEVER), true);

  assert.deepEqual(server.asked, ['plant/boiler']);
});

void test('devices that are there and not in the list are not gone, and one new list is asked for', async () => {
  const server = new ApiServer();
  server.answer = () => Promise.resolve(true);
  const absences = absencesOver(server);

  for (const key of ['plant/boiler', 'plant/pump', 'plant/boiler'])
    assert.equal(await absences.isGone(key, NEVER), false);

  assert.equal(server.relisted, 1);
});

void test('nothing is gone while the API server cannot tell, and it is not asked about every device', async () => {
  const server = new ApiServer();
  server.answer = () => Promise.reject(new Error('away'));
  const absences = absencesOver(server);

  for (let n = 0; n < 100; n += 1) assert.equal(await absences.isGone(`plant/boiler-${n}`, NEVER), false);
  assert.ok(server.asked.length < 20, `${server.asked.length} requests`);

  server.answer = () => Promise.resolve(false);
  await waitUntil('a device to be gone', () => absences.isGone('plant/pump', NEVER));
});
