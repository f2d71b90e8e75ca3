import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isOfBinding, misfitOf } from '../../../../../src/cloud/upstream/event-origin.ts';
import type { DeviceEvent } from '../../../../../src/wire/device-events.ts';
import { chainSubject, stateSubject } from '../../../../../src/wire/nats-subjects.ts';

const NODE = 'edge.a';
const DEVICE = { namespace: 'default', name: 'counter.1' };

function event(changes: Partial<DeviceEvent> = {}): DeviceEvent {
  return {
    id: 'i.1.0',
    kind: 'reported',
    node: NODE,
    device: DEVICE,
    uid: 'uid-1',
    property: 'count',
    type: 'INT',
    value: '7',
    version: { binding: 2, term: 1, n: 1 },
    receivedAt: 0,
    historical: false,
    ...changes,
  };
}

test('events fit the subjects of their own node and device, names with dots included', () => {
  for (const subject of [
    chainSubject(NODE, 'twin', DEVICE),
    chainSubject(NODE, 'event', DEVICE),
    stateSubject(NODE, DEVICE),
  ])
    assert.equal(misfitOf(subject, [event(), event()]), undefined, subject);
});

test('a batch with one event about another node, namespace or device does not fit, and the reason names it', () => {
  const foreign = [
    event({ node: 'edge-b' }),
    event({ device: { ...DEVICE, name: 'pump' } }),
    event({ device: { ...DEVICE, namespace: 'plant' } }),
  ];
  for (const one of foreign) {
    const reason = misfitOf(chainSubject(NODE, 'twin', DEVICE), [event(), { ...one, id: 'bad' }]);
    assert.match(reason ?? '', /event bad is about .* on node .*skerry\.edge_a\.up\.twin\.default\.counter_1/);
  }
});

test('only the bound node speaks for a device, in bindings that the hub has made', () => {
  const binding = { nodeName: NODE, generation: 2 };
  const of = (generation: number): DeviceEvent => event({ version: { binding: generation, term: 1, n: 1 } });

  assert.deepEqual(
    [1, 2, 3].map((generation) => isOfBinding(binding, NODE, of(generation))),
    [true, true, false],
  );
  assert.deepEqual(
    [1, 2, 3].map((generation) => isOfBinding(binding, 'edge-b', of(generation))),
    [false, false, false],
  );
  assert.equal(isOfBinding(undefined, NODE, of(1)), false);
});
