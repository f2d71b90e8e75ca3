import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { DeviceStatus } from '../../../../../src/cloud/kubernetes/resources.ts';
import { underPresence, type NodePresence } from '../../../../../src/cloud/upstream/node-silence.ts';
import { projectEvent } from '../../../../../src/cloud/upstream/status-projector.ts';
import { isPresent } from '../../../../../src/model/state-rules.ts';
import type { DeviceEvent } from '../../../../../src/wire/device-events.ts';

const device: Parameters<typeof projectEvent>[0] = {
  ...{ uid: 'u', name: 'default/d', properties: ['count'] },
  desiredOf: () => undefined,
};

const said = (state: string, n: number): DeviceEvent => ({
  ...{ id: `i.${n}.0`, kind: 'state', node: 'n', device: { namespace: 'default', name: 'd' }, uid: 'u' },
  ...{ property: '', type: 'STRING', value: state, version: { binding: 1, term: 1, n } },
  ...{ receivedAt: n * 1000, historical: false },
});

const told = (status: DeviceStatus, event: DeviceEvent): DeviceStatus => {
  const next = projectEvent(device, status, event);
  return next === 'stale' ? status : next;
};

test('while nobody hears its node a device that was there is unknown, and what the node said comes back with it', () => {
  const online = told({}, said('Online', 1));
  const covered = underPresence(online, 'silent');
  assert.deepEqual([covered.state, covered.stateBefore], ['unknown', 'Online']);
  assert.equal(covered.lastOnlineTime, online.lastOnlineTime);
  assert.equal(underPresence(covered, 'silent'), covered);
  assert.equal(underPresence(covered, 'undecided'), covered);
  assert.deepEqual(underPresence(covered, 'heard'), online);
});

test('who is away stays so, and of whom nothing was said nothing is', () => {
  for (const state of ['offline', 'OFFLINE', 'unknown']) {
    const away = told({}, said(state, 1));
    for (const presence of ['silent', 'heard', 'undecided'] as const) assert.equal(underPresence(away, presence), away);
  }
  const nothing: DeviceStatus = {};
  assert.equal(underPresence(nothing, 'silent'), nothing);
});

test('what comes late of a silent node does not make its device look there, and shows that it went', () => {
  const covered = underPresence(told({}, said('online', 1)), 'silent');
  assert.deepEqual([told(covered, said('ok', 2)).state, told(covered, said('ok', 2)).stateBefore], ['unknown', 'ok']);
  const gone = told(covered, said('offline', 2));
  assert.deepEqual([gone.state, 'stateBefore' in gone], ['offline', false]);
});

test('what a silent node said does not come back with the node that the Device was bound to since', () => {
  const atOld = { ...told({}, said('online', 1)), binding: { nodeName: 'old', generation: 1 } };
  const moved = { ...underPresence(atOld, 'silent'), binding: { nodeName: 'new', generation: 2 } };

  const heard = underPresence(moved, 'heard');

  assert.deepEqual([heard.state, 'stateBefore' in heard], ['unknown', false]);
});

const states = fc.constantFrom('online', 'ok', 'Unhealthy', 'offline', 'unknown');
const presences = fc.constantFrom<NodePresence>('silent', 'heard', 'undecided');

test('however silence and words alternate, a node that is heard ends as if it had never been silent, by version', () => {
  const history = fc.array(fc.tuple(states, fc.nat(6), presences), { maxLength: 20 });
  // One word for each version, however often it comes.
  const wordOf = (words: readonly string[], n: number): string => words[n] ?? 'online';
  fc.assert(
    fc.property(history, fc.array(states, { minLength: 7, maxLength: 7 }), (steps, words) => {
      let [plain, seen]: [DeviceStatus, DeviceStatus] = [{}, {}];
      for (const [, n, presence] of steps) {
        plain = told(plain, said(wordOf(words, n), n));
        seen = underPresence(told(underPresence(seen, presence), said(wordOf(words, n), n)), presence);
        if (presence === 'silent') assert.ok(!isPresent(seen.state), 'nobody can say that it is there');
      }
      assert.deepEqual(underPresence(seen, 'heard'), plain);
    }),
  );
});
