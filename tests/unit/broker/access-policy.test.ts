import assert from 'node:assert/strict';
import { test } from 'node:test';
import { mayOpenFrom, mayPublish } from '../../../broker/access-policy.ts';

void test('clients may publish to device topics and to topics of their own', () => {
  for (const topic of [
    '$hw/events/device/default/counter/twin/update',
    '$hw/events/device/counter/twin/update',
    '$hw/events/upload/anything',
    '$ke/events/device/counter/data/update',
    'SYS/dis/upload_records',
    'app/user/measurement',
    '$skerryish/topic',
    'not/$skerry/first',
  ])
    assert.equal(mayPublish(topic), true, topic);
});

void test('nobody may publish what only the broker says', () => {
  for (const topic of ['$skerry', '$skerry/mapper/modbus/default/pump', '$skerry/', '$SYS', '$SYS/broker/load'])
    assert.equal(mayPublish(topic), false, topic);
});

void test('programs may open a WebSocket, and pages of this machine or of the host that was asked for', () => {
  assert.equal(mayOpenFrom(undefined, '127.0.0.1:8083'), true);
  assert.equal(mayOpenFrom('http://localhost:5173', '127.0.0.1:8083'), true);
  assert.equal(mayOpenFrom('http://[::1]:5173', '127.0.0.1:8083'), true);
  assert.equal(mayOpenFrom('https://gateway.example', 'gateway.example:8083'), true);
});

void test('a page from elsewhere may not open a WebSocket', () => {
  for (const origin of ['https://evil.example', 'null', '', 'http://127.0.0.1.evil.example'])
    assert.equal(mayOpenFrom(origin, '127.0.0.1:8083'), false, origin);
  assert.equal(mayOpenFrom('https://evil.example', undefined), false);
  assert.equal(mayOpenFrom('https://evil.example', '%%%'), false);
});
