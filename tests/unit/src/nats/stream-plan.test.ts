import assert from 'node:assert/strict';
import { test } from 'node:test';
import { mebibytes, seconds } from '../../../../src/kit/units.ts';
import { planStreams, wantedStreams, type StreamShape } from '../../../../src/nats/stream-plan.ts';

const WANTED = wantedStreams(mebibytes(64));
const existing = (shapes: readonly StreamShape[]): Map<string, Partial<StreamShape>> =>
  new Map(shapes.map((shape) => [shape.name, shape]));

void test('what is missing is made, and what is as wanted is left alone', () => {
  const [first, ...others] = WANTED;

  assert.deepEqual(planStreams(WANTED, existing(others)), [{ action: 'create', shape: first }]);
  assert.deepEqual(planStreams(WANTED, existing(WANTED)), []);
});

void test('a stream that differs in anything that Skerry decides is changed', () => {
  for (const [place, shape] of WANTED.entries()) {
    for (const field of Object.keys(shape) as (keyof StreamShape)[]) {
      if (field === 'name') continue;
      const found = existing(WANTED).set(shape.name, { ...shape, [field]: 'other' });
      assert.deepEqual(planStreams(WANTED, found), [{ action: 'update', shape: WANTED[place] }], field);
    }
  }
});

void test('the server leaves out what is false, and adds what Skerry does not decide', () => {
  const found = WANTED.map((shape) => ({
    ...(Object.fromEntries(Object.entries(shape).filter(([, value]) => value !== false)) as unknown as StreamShape),
    num_replicas: 1,
  }));

  assert.deepEqual(planStreams(WANTED, existing(found)), []);
});

void test('facts are kept for a week within the given bytes, state and buckets keep the last value of each key', () => {
  const byName = new Map(WANTED.map((shape) => [shape.name, shape]));
  const up = byName.get('skerry-up');

  assert.deepEqual([up?.max_age, up?.max_bytes, up?.discard], [7 * 86_400e9, 64 * 1024 * 1024, 'old']);
  assert.equal(up?.duplicate_window, 120e9);
  for (const name of ['skerry-state', 'KV_skerry-desired', 'KV_skerry-claims']) {
    assert.equal(byName.get(name)?.max_msgs_per_subject, 1, name);
  }
  assert.ok(WANTED.every(({ allow_direct }) => allow_direct));
});

void test('the duplicate window that is asked for is that of the stream of reports alone', () => {
  const windows = wantedStreams(mebibytes(64), seconds(2)).map(({ name, duplicate_window }) => [
    name,
    duplicate_window,
  ]);

  assert.deepEqual(windows, [
    ['skerry-up', 2e9],
    ['skerry-state', 120e9],
    ['skerry-poison', 120e9],
    ['KV_skerry-desired', 120e9],
    ['KV_skerry-claims', 120e9],
  ]);
});

void test('what was set aside is kept for a week within 64 MiB, one copy of each message', () => {
  const poison = WANTED.find(({ name }) => name === 'skerry-poison');

  assert.deepEqual([poison?.max_age, poison?.max_bytes, poison?.discard], [7 * 86_400e9, 64 * 1024 * 1024, 'old']);
  assert.equal(poison?.max_msgs_per_subject, 1);
});

void test('no stream takes roll-up headers, and one that does is changed', () => {
  assert.ok(WANTED.every(({ allow_rollup_hdrs }) => !allow_rollup_hdrs));
  const claims = WANTED.find(({ name }) => name === 'KV_skerry-claims');
  assert.ok(claims);

  const found = existing(WANTED).set(claims.name, { ...claims, allow_rollup_hdrs: true });

  assert.deepEqual(planStreams(WANTED, found), [{ action: 'update', shape: claims }]);
});
