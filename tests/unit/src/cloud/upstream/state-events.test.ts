import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Occurrence } from '../../../../../src/cloud/kubernetes/event-recorder.ts';
import type { DeviceResource } from '../../../../../src/cloud/kubernetes/resources.ts';
import { StateEvents, stateOccurrence } from '../../../../../src/cloud/upstream/state-events.ts';
import type { DeviceEvent } from '../../../../../src/wire/device-events.ts';

const binding = { nodeName: 'edge-a', generation: 1 };

function occurrence(was: string | undefined, is: string | undefined, cause?: string): Occurrence | undefined {
  const event = { kind: 'state', value: is, ...(cause === undefined ? {} : { cause }) } as DeviceEvent;
  const status = (state: string | undefined) => ({ binding, ...(state === undefined ? {} : { state }) });
  return stateOccurrence(status(was), status(is), [event]);
}

test('a device that goes and one that comes back are told of, with what showed it', () => {
  assert.deepEqual(occurrence('online', 'offline', 'client-gone'), {
    ...{ type: 'Warning', reason: 'DeviceOffline' },
    message: 'the device is offline: its MQTT client is gone (node edge-a)',
  });
  assert.deepEqual(occurrence('OK', 'Offline'), {
    ...{ type: 'Warning', reason: 'DeviceOffline' },
    message: 'the device is Offline: it was said of it (node edge-a)',
  });
  assert.equal(occurrence('unhealthy', 'unknown', 'silence')?.reason, 'DeviceUnknown');
  assert.deepEqual(occurrence('unknown', 'online'), {
    ...{ type: 'Normal', reason: 'DeviceOnline' },
    message: 'the device is online: it is heard again (node edge-a)',
  });
});

test('a first word, another word for the same, and a node that is silent are no news of a device', () => {
  assert.equal(occurrence(undefined, 'online'), undefined);
  assert.equal(occurrence('online', 'unhealthy'), undefined);
  assert.equal(occurrence('offline', 'unknown'), undefined);
  const covered = { binding, state: 'unknown', stateBefore: 'online' };
  assert.equal(stateOccurrence(covered, { binding, state: 'online' }, []), undefined);
  assert.equal(stateOccurrence(covered, { binding, state: 'offline' }, [])?.reason, 'DeviceOffline');
});

test('a device that flaps is told of once a minute, and all devices together are bounded', async () => {
  const recorded: string[] = [];
  let now = 0;
  const recorder = {
    record: (object: { readonly metadata: { readonly uid: string } }, { reason }: Occurrence) => {
      recorded.push(`${object.metadata.uid} ${reason}`);
      return Promise.resolve('recorded' as const);
    },
  };
  const events = new StateEvents(recorder, () => now);
  const tell = (uid: string, reason: string): Promise<void> =>
    events.tell({ metadata: { uid } } as DeviceResource, { type: 'Warning', reason, message: '' });

  for (let flap = 0; flap < 5; flap += 1)
    for (const reason of ['DeviceOffline', 'DeviceOnline']) await tell('a', reason);
  assert.deepEqual(recorded, ['a DeviceOffline', 'a DeviceOnline']);
  now = 60_000;
  await tell('a', 'DeviceOffline');
  assert.equal(recorded.length, 3);

  for (let device = 0; device < 1000; device += 1) await tell(`d${device}`, 'DeviceUnknown');
  assert.equal(recorded.length, 2 + 200);
});
