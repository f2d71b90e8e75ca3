import fc from 'fast-check';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { reportPayload } from '../../../simulator/counter/counter-report.ts';
import { readMapperMessage } from '../../../simulator/counter/mapper-message.ts';

const read = (value: unknown): ReturnType<typeof readMapperMessage> =>
  readMapperMessage(Buffer.from(JSON.stringify(value)));

void test('the desired values are read out of a device’s definition', () => {
  const message = read({
    device: { namespace: 'default', name: 'counter' },
    protocol: 'virtualProtocol',
    properties: [
      { name: 'status', type: 'STRING', accessMode: 'ReadWrite', desired: 'ON' },
      { name: 'count', type: 'INT', accessMode: 'ReadOnly' },
      { name: 'odd', desired: 5 },
      null,
    ],
  });

  assert.ok(message.kind === 'defined');
  assert.deepEqual([...message.desired], [['status', 'ON']]);
});

void test('an empty message means that the device was removed', () => {
  assert.deepEqual(readMapperMessage(new Uint8Array()), { kind: 'removed' });
});

void test('whatever else comes is unreadable, never an error', () => {
  assert.deepEqual(read({ properties: 'none' }), { kind: 'unreadable' });
  fc.assert(
    fc.property(
      fc.oneof(
        fc.uint8Array({ minLength: 1 }),
        fc.json().map((text) => Buffer.from(text)),
      ),
      (payload) => {
        assert.ok(['defined', 'unreadable'].includes(readMapperMessage(payload).kind));
      },
    ),
  );
});

void test('a count is reported in the form of KubeEdge', () => {
  assert.deepEqual(JSON.parse(reportPayload({ count: 7 }, 'id-1', 1234)), {
    event_id: 'id-1',
    timestamp: 1234,
    twin: { count: { actual: { value: '7' }, metadata: { type: 'int' } } },
  });
});

void test('a status is reported together with the desired value it answers', () => {
  assert.deepEqual(JSON.parse(reportPayload({ status: 'ON', count: 0 }, 'id-2', 1234)), {
    event_id: 'id-2',
    timestamp: 1234,
    twin: {
      status: { expected: { value: 'ON' }, actual: { value: 'ON' }, metadata: { type: 'string' } },
      count: { actual: { value: '0' }, metadata: { type: 'int' } },
    },
  });
});
