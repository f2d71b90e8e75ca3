import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  membershipPayload,
  membershipUpdatedPayload,
  msgDevice,
} from '../../../../../src/edge/egress/membership-payloads.ts';
import type { DeviceDefinition } from '../../../../../src/model/device.ts';

const BOILER: DeviceDefinition = {
  ...{ namespace: 'plant', name: 'boiler-7', uid: 'u', binding: 1, protocol: 'modbus', properties: [] },
  description: 'second floor',
};
const AT = Date.parse('2026-01-01T00:00:03.999Z');

void test('a device is told as in the contract, field by field and in its order', () => {
  const device = msgDevice(BOILER, { state: { state: 'online', at: AT, n: 1 } });

  assert.equal(
    membershipPayload({ eventId: 'm1', now: 1767225604001 }, [device]),
    '{"event_id":"m1","timestamp":1767225604001,"devices":[{"id":"plant/boiler-7","name":"boiler-7","description":"second floor","state":"online","last_online":"2026-01-01T00:00:03Z"}]}',
  );
});

void test('what is not known is left out, and a device that is not up was last online nobody says when', () => {
  const { description, ...plain } = BOILER;

  assert.equal(description, 'second floor');
  assert.deepEqual(msgDevice(plain), { id: 'plant/boiler-7', name: 'boiler-7' });
  assert.deepEqual(msgDevice({ ...plain, description: '' }, { state: { state: 'offline', at: AT, n: 1 } }), {
    ...{ id: 'plant/boiler-7', name: 'boiler-7', state: 'offline' },
  });
});

void test('a node without devices has an empty list', () => {
  assert.equal(membershipPayload({ eventId: '', now: 1 }, []), '{"event_id":"","timestamp":1,"devices":[]}');
});

void test('whatever order devices are held in, they are told in the order of their ids', () => {
  const name = fc.stringMatching(/^[a-z0-9]([a-z0-9.-]{0,6}[a-z0-9])?$/);
  fc.assert(
    fc.property(fc.uniqueArray(name, { maxLength: 8 }), (names) => {
      const payload = membershipPayload(
        { eventId: '', now: 1 },
        names.map((one) => msgDevice({ ...BOILER, name: one })),
      );
      const { devices } = JSON.parse(payload) as { devices: { id: string }[] };
      const ids = devices.map(({ id }) => id);
      assert.deepEqual(ids, [...names.map((one) => `plant/${one}`)].sort());
    }),
  );
});

void test('a device that came, or left, stands beside the null of what did not happen', () => {
  const device = msgDevice({ ...BOILER, name: 'boiler-8', description: '' });
  const head = { eventId: 'e', now: 5 };

  assert.equal(
    membershipUpdatedPayload(head, { added: device }),
    '{"event_id":"e","timestamp":5,"added_devices":[{"id":"plant/boiler-8","name":"boiler-8"}],"removed_devices":null}',
  );
  assert.equal(
    membershipUpdatedPayload(head, { removed: device }),
    '{"event_id":"e","timestamp":5,"added_devices":null,"removed_devices":[{"id":"plant/boiler-8","name":"boiler-8"}]}',
  );
});
