import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  answerTopics,
  DEVICE_ANSWERS,
  DEVICE_REQUESTS,
  mapperTopic,
  parseDataTopic,
  parseDeviceTopic,
  parseMembershipRequest,
  rejectedTopic,
  requestTopic,
} from '../../../../src/wire/mqtt-topics.ts';

// Also names that look like parts of a topic.
const name = fc.oneof(
  fc.constantFrom('twin', 'update', 'get', 'state', 'default', 'a.b'),
  fc.stringMatching(/^[a-z0-9.-]{1,12}$/),
);
const device = fc.record({ namespace: name, name }, { noNullPrototype: true });
const request = fc.constantFrom(...DEVICE_REQUESTS);

void test('a request topic names its device and request again', () => {
  fc.assert(
    fc.property(device, request, (one, asked) => {
      assert.deepEqual(parseDeviceTopic(requestTopic(one, asked)), { device: one, request: asked });
    }),
  );
});

void test('an address of one level means the namespace default', () => {
  fc.assert(
    fc.property(name, request, (one, asked) => {
      const expected = { device: { namespace: 'default', name: one }, request: asked };
      assert.deepEqual(parseDeviceTopic(`$hw/events/device/${one}/${asked}`), expected);
    }),
  );
});

void test('no answer is ever taken for a request', () => {
  fc.assert(
    fc.property(device, fc.constantFrom(...DEVICE_ANSWERS), (one, answer) => {
      for (const topic of answerTopics(one, answer)) assert.equal(parseDeviceTopic(topic), undefined, topic);
    }),
  );
});

void test('an answer goes to both address forms in the namespace default, and to one elsewhere', () => {
  assert.deepEqual(answerTopics({ namespace: 'default', name: 'counter' }, 'twin/update/delta'), [
    '$hw/events/device/default/counter/twin/update/delta',
    '$hw/events/device/counter/twin/update/delta',
  ]);
  assert.deepEqual(answerTopics({ namespace: 'plant', name: 'boiler-7' }, 'state/update/result'), [
    '$hw/events/device/plant/boiler-7/state/update/result',
  ]);
});

void test('any other topic is no request', () => {
  const others = [
    '$hw/events/device',
    '$hw/events/device/',
    '$hw/events/device/twin/update',
    '$hw/events/device//twin/update',
    '$hw/events/device/a//twin/update',
    '$hw/events/device//a/twin/update',
    '$hw/events/device/a/b/c/twin/update',
    '$hw/events/device/a/b/twin/update/',
    '$hw/events/device/a/b/twin/Update',
    '$hw/events/devices/a/b/twin/update',
    '/$hw/events/device/a/b/twin/update',
    '$hw/events/node/edge-a/membership/get',
    'plant/boiler-7/twin/update',
    '',
  ];
  for (const topic of others) assert.equal(parseDeviceTopic(topic), undefined, topic);
  fc.assert(
    fc.property(fc.string(), (topic) => {
      assert.equal(parseDeviceTopic(topic), undefined);
    }),
  );
});

void test('our own topics carry namespace and name', () => {
  const boiler = { namespace: 'plant', name: 'boiler-7' };

  assert.equal(mapperTopic('modbus', boiler), '$skerry/mapper/modbus/plant/boiler-7');
  assert.equal(rejectedTopic(boiler), '$skerry/rejected/plant/boiler-7');
});

void test('a level longer than any name in Kubernetes is no device and no node', () => {
  const [longest, longer] = ['x'.repeat(253), 'x'.repeat(254)];

  assert.equal(parseDeviceTopic(`$hw/events/device/${longest}/${longest}/twin/update`)?.device.name, longest);
  assert.equal(parseMembershipRequest(`$hw/events/node/${longest}/membership/get`), longest);
  for (const address of [longer, `a/${longer}`, `${longer}/a`, 'é'.repeat(127)]) {
    assert.equal(parseDeviceTopic(`$hw/events/device/${address}/twin/update`), undefined);
    assert.equal(parseDataTopic(`$ke/events/device/${address}/data/update`), undefined);
    assert.equal(parseDataTopic(`$ke/events/${address}/device/data/update`), undefined);
  }
  assert.equal(parseMembershipRequest(`$hw/events/node/${longer}/membership/get`), undefined);
});
