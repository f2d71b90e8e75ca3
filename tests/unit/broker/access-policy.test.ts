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
  assert.equal(mayOpenFrom('http://192.168.1.5:3000', '192.168.1.5:8083'), true);
  assert.equal(mayOpenFrom('http://[fd00::1]:3000', '[fd00::1]:8083'), true);
});

void test('a name that the page’s owner can make mean this machine opens nothing, unless a certificate shows that it is ours', () => {
  assert.equal(mayOpenFrom('http://evil.example:8083', 'evil.example:8083'), false);
  assert.equal(mayOpenFrom('https://gateway.example', 'gateway.example:8884', true), true);
  assert.equal(mayOpenFrom('https://evil.example', 'gateway.example:8884', true), false);
});

void test('a page from elsewhere may not open a WebSocket', () => {
  for (const origin of ['https://evil.example', 'null', '', 'http://127.0.0.1.evil.example'])
    assert.equal(mayOpenFrom(origin, '127.0.0.1:8083'), false, origin);
  assert.equal(mayOpenFrom('https://evil.example', undefined), false);
  assert.equal(mayOpenFrom('https://evil.example', '%%%'), false);
});
