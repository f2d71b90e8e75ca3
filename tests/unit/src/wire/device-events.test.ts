import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { PROPERTY_TYPES } from '../../../../src/model/device.ts';
import type { Change, DeviceFact, MessageChange, NodeFact, OverrideEnd } from '../../../../src/model/fact.ts';
import { carriedPayload } from '../../../../src/wire/carried-payload.ts';
import {
  decodeBatch,
  encodeBatch,
  encodeFact,
  EVENT_TYPES,
  gapsOfNode,
  type DeviceEvent,
} from '../../../../src/wire/device-events.ts';

const name = fc.stringMatching(/^[a-z0-9.-]{1,12}$/);
const device = fc.record({ namespace: name, name }, { noNullPrototype: true });
const time = fc.nat({ max: 4_000_000_000_000 });
const text = fc.string({ unit: 'binary' });
const n = fc.nat({ max: 2 ** 31 - 1 });

const propertyChange = fc.record(
  {
    kind: fc.constantFrom('reported', 'observed' as const),
    property: text,
    type: fc.constantFrom(...PROPERTY_TYPES),
    value: text,
    n,
    deviceTime: time,
  },
  { requiredKeys: ['kind', 'property', 'type', 'value', 'n'], noNullPrototype: true },
);
const stateChange = fc.record({ kind: fc.constant('state' as const), state: text, n }, { noNullPrototype: true });
const count = fc.nat();
const gapChange = fc.record(
  {
    kind: fc.constant('gap' as const),
    reason: fc.constantFrom('bytes', 'age', 'compacted' as const),
    ...{ changes: count, from: count, through: count, since: time, until: time },
  },
  { noNullPrototype: true },
);
const rejects = fc.record(
  { kind: fc.constant('rejected' as const), count, reason: text, since: time, until: time },
  { noNullPrototype: true },
);
type DeviceChange = Exclude<Change, MessageChange>;
const removal = fc.record({ kind: fc.constant('removed' as const), property: text, n }, { noNullPrototype: true });
const standing = fc.record({ property: text, value: text, revision: count, at: time }, { noNullPrototype: true });
const end = fc.constantFrom<OverrideEnd>('CloudChanged', 'Agreed', 'Released', 'NotAllowed', 'DeviceMoved');
const ended = fc.record(
  { property: text, value: text, reason: end, desired: text },
  { requiredKeys: ['property', 'value', 'reason'], noNullPrototype: true },
);
const overrideChange = fc.record(
  { kind: fc.constant('override' as const), n, standing: fc.array(standing), ended: fc.array(ended) },
  { noNullPrototype: true },
);
const change: fc.Arbitrary<DeviceChange> = fc.oneof(
  propertyChange,
  removal,
  stateChange,
  overrideChange,
  gapChange,
  rejects,
);
const fact = fc.record(
  { device, uid: text, binding: n, at: time, changes: fc.array(change, { minLength: 1, maxLength: 4 }), eventId: text },
  { requiredKeys: ['device', 'uid', 'binding', 'at', 'changes'], noNullPrototype: true },
);
const stamp = fc.record({ node: name, id: text, term: n, historical: fc.boolean() }, { noNullPrototype: true });

function eventsOf(payload: Uint8Array): readonly DeviceEvent[] {
  const decoded = decodeBatch(payload);
  return decoded.kind === 'ok' ? decoded.events : assert.fail(decoded.reason);
}

function said(
  change: DeviceChange,
): Pick<DeviceEvent, 'property' | 'type' | 'value' | 'gap' | 'override' | 'rejected'> {
  if (change.kind === 'rejected') {
    const { kind, ...rejected } = change;
    assert.equal(kind, 'rejected');
    return { property: '', type: 'STRING', value: '', rejected };
  }
  if (change.kind === 'state') return { property: '', type: 'STRING', value: change.state };
  if (change.kind === 'removed') return { property: change.property, type: 'STRING', value: '' };
  if (change.kind === 'override') {
    const { standing: stands, ended: ends } = change;
    return { property: '', type: 'STRING', value: '', override: { standing: stands, ended: ends } };
  }
  if (change.kind !== 'gap') return { property: change.property, type: change.type, value: change.value };
  const { reason, changes, from, through, since, until } = change;
  return { property: '', type: 'STRING', value: '', gap: { reason, changes, from, through, since, until } };
}

void test('every change of a batch arrives as one event, in order, with all it said', () => {
  fc.assert(
    fc.property(fc.array(fact, { minLength: 1, maxLength: 4 }), stamp, (facts, given) => {
      const events = eventsOf(encodeBatch(facts.map((one) => encodeFact(one, given))));

      const expected = facts.flatMap((one) =>
        one.changes.map((change, place): DeviceEvent => ({
          id: `${given.id}.${place}`,
          kind: change.kind,
          node: given.node,
          device: one.device,
          uid: one.uid,
          version: { binding: one.binding, term: given.term, n: 'n' in change ? change.n : 0 },
          ...said(change),
          receivedAt: one.at,
          ...('deviceTime' in change ? { deviceTime: change.deviceTime } : {}),
          historical: given.historical,
        })),
      );
      assert.deepEqual(events, expected);
    }),
  );
});

const FACT: DeviceFact = {
  device: { namespace: 'plant', name: 'boiler-7' },
  uid: 'u1',
  binding: 2,
  at: Date.UTC(2026, 0, 1),
  changes: [{ kind: 'reported', property: 'temp', type: 'FLOAT', value: '64.5', n: 3, deviceTime: 1_767_225_600_000 }],
  eventId: 'req-1',
};
const STAMP = { node: 'edge-a', id: 'abc.9', term: 4, historical: true };

void test('an event is a CloudEvent with these fields', () => {
  assert.equal(
    encodeFact(FACT, STAMP),
    '{"specversion":"1.0","id":"abc.9.0","source":"/skerry/nodes/edge-a","type":"io.skerry.twin.reported.v1",' +
      '"subject":"plant/boiler-7","time":"2026-01-01T00:00:00.000Z","datacontenttype":"application/json",' +
      '"data":{"property":"temp","value":"64.5","type":"FLOAT","deviceTime":"2026-01-01T00:00:00.000Z","uid":"u1",' +
      '"version":{"binding":2,"term":4,"n":3},"quality":"good","receivedTime":"2026-01-01T00:00:00.000Z",' +
      '"eventId":"req-1","historical":true}}',
  );
});

void test('events of a kind that this version does not know are left out', () => {
  const unknown = JSON.stringify({ specversion: '1.0', type: 'io.skerry.twin.reported.v9', data: 5 });

  const events = eventsOf(encodeBatch([unknown, encodeFact(FACT, STAMP), unknown, 'null', '5']));

  assert.equal(events.length, 1);
  assert.equal(events[0]?.value, '64.5');
});

void test('a known event that lacks a field refuses the batch and says which event', () => {
  const whole = JSON.parse(encodeFact(FACT, STAMP)) as { data: Record<string, unknown> };
  const broken = [
    { ...whole, id: undefined },
    { ...whole, source: 5 },
    { ...whole, subject: undefined },
    { ...whole, data: undefined },
    ...['uid', 'version', 'property', 'value'].map((field) => ({ ...whole, data: { ...whole.data, [field]: null } })),
    { ...whole, data: { ...whole.data, version: { binding: 1, term: 1.5, n: 1 } } },
    { ...whole, data: { ...whole.data, type: 'constructor' } },
  ];
  for (const event of broken) {
    const decoded = decodeBatch(Buffer.from(JSON.stringify([whole, event])));
    assert.deepEqual(decoded, { kind: 'refused', reason: 'event 1 of the batch lacks a required field' });
  }
});

void test('garbage is refused, never thrown', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
      assert.ok(['ok', 'refused'].includes(decodeBatch(bytes).kind));
    }),
  );
  const types = fc.constantFrom(...Object.values(EVENT_TYPES));
  fc.assert(
    fc.property(fc.array(fc.record({ type: types, id: fc.jsonValue(), data: fc.jsonValue() })), (batch) => {
      assert.ok(['ok', 'refused'].includes(decodeBatch(Buffer.from(JSON.stringify(batch))).kind));
    }),
  );
});

const message = (payload: Uint8Array): MessageChange => ({
  ...{ kind: 'message', topic: 'line/user/"a"', payload: carriedPayload(payload) },
});
const uploaded = (payload: Uint8Array): NodeFact => ({ at: Date.UTC(2026, 0, 1), changes: [message(payload)] });

void test('a message is a CloudEvent whose data is the payload, with the topic beside it', () => {
  const head = '{"specversion":"1.0","id":"abc.9.0","source":"/skerry/nodes/edge-a","type":"io.skerry.message.v1",';
  const said = '"time":"2026-01-01T00:00:00.000Z","topic":"line/user/\\"a\\"",';

  assert.equal(
    encodeFact(uploaded(Buffer.from('{"n":12345678901234567890}')), STAMP),
    `${head}${said}"datacontenttype":"application/json","data":{"n":12345678901234567890},"historical":true}`,
  );
  assert.equal(
    encodeFact({ ...FACT, changes: [message(Buffer.from('ON'))] }, { ...STAMP, historical: false }),
    `${head}"subject":"plant/boiler-7",${said}"datacontenttype":"application/octet-stream","data_base64":"T04="}`,
  );
});

void test('whatever the payload, the event gives it back byte for byte, or as the same JSON', () => {
  const payload = fc.oneof(
    fc.uint8Array({ maxLength: 200 }),
    fc.json().map((json) => Uint8Array.from(Buffer.from(json))),
    fc.string({ unit: 'binary' }).map((one) => Uint8Array.from(Buffer.from(one))),
  );
  fc.assert(
    fc.property(payload, (bytes) => {
      const event = JSON.parse(encodeFact(uploaded(bytes), STAMP)) as { data?: unknown; data_base64?: string };
      if (event.data_base64 === undefined) assert.deepEqual(event.data, JSON.parse(Buffer.from(bytes).toString()));
      else assert.deepEqual(Uint8Array.from(Buffer.from(event.data_base64, 'base64')), bytes);
    }),
  );
});

void test('messages, and gaps among them, are passed over by who reads of devices', () => {
  const gap = { kind: 'gap', reason: 'bytes', changes: 2, from: 1, through: 2, since: 1, until: 2 } as const;
  const batch = [
    encodeFact(uploaded(Buffer.from('{}')), STAMP),
    encodeFact({ at: 1, changes: [gap] }, STAMP),
    encodeFact(FACT, STAMP),
    encodeFact({ ...FACT, changes: [message(Buffer.of(0xff))] }, STAMP),
  ];

  assert.deepEqual(
    eventsOf(encodeBatch(batch)).map(({ kind }) => kind),
    ['reported'],
  );
});

void test('a gap whose reason is not known yet keeps nothing else of its batch from the hub', () => {
  const gap = { kind: 'gap', reason: 'bytes', changes: 2, from: 1, through: 2, since: 1, until: 2 } as const;
  const newer = (text: string): string => text.replace('"reason":"bytes"', '"reason":"quota"');
  const batch = encodeBatch([newer(encodeFact({ ...FACT, changes: [gap] }, STAMP)), encodeFact(FACT, STAMP)]);

  assert.deepEqual(
    eventsOf(batch).map(({ kind, gap }) => [kind, gap?.reason]),
    [
      ['gap', 'quota'],
      ['reported', undefined],
    ],
  );
  const ofNode = encodeBatch([newer(encodeFact({ at: 1, changes: [gap] }, STAMP))]);
  assert.deepEqual(
    gapsOfNode(ofNode).map(({ gap: { reason } }) => reason),
    ['quota'],
  );
});
