// message ids, claims, heartbeats, device definitions and the index
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { PROPERTY_TYPES, type DeviceDefinition, type Keep } from '../../../../src/model/device.ts';
import { decodeDefinition, decodeIndex, encodeDefinition, encodeIndex } from '../../../../src/wire/desired.ts';
import { formatMessageId, formatMessageIds, parseMessageId, parseMessageIds } from '../../../../src/wire/message-id.ts';
import {
  decodeClaim,
  decodeHeartbeat,
  encodeClaim,
  encodeHeartbeat,
  type Heartbeat,
} from '../../../../src/wire/node-reports.ts';

const plain = { noNullPrototype: true } as const;
const text = fc.string({ unit: 'binary' });
const count = fc.nat();
const HEARTBEAT_FIELDS: (keyof Heartbeat)[] = [
  ...(['node', 'incarnation', 'version', 'os', 'architecture', 'kernel', 'hostname'] as const),
  ...(['cpus', 'memoryBytes', 'indexGeneration', 'backlog'] as const),
];
const bytesOf = (value: unknown): Uint8Array => Buffer.from(JSON.stringify(value));

void test('a message id survives its text', () => {
  const id = fc.record({ incarnation: fc.stringMatching(/^[0-9a-f]{16}$/), sequence: fc.maxSafeNat() }, plain);
  fc.assert(
    fc.property(id, (one) => {
      assert.deepEqual(parseMessageId(formatMessageId(one)), one);
    }),
  );
});

void test('a list of message ids survives its text, whoever else writes into it', () => {
  const ids = [
    { incarnation: 'a1', sequence: 5 },
    { incarnation: 'b2', sequence: 0 },
  ];
  assert.deepEqual(parseMessageIds(formatMessageIds(ids)), ids);
  assert.deepEqual(parseMessageIds(`a1.5 nonsense ${formatMessageIds(ids)}`), [ids[0], ...ids]);
  assert.deepEqual(parseMessageIds(''), []);
});

void test('what is no message id is none', () => {
  for (const one of ['', 'abc', 'abc.', '.5', 'abc.5.0', 'abc.-5', 'abc.5 ', 'a-b.5', 'abc.five']) {
    assert.equal(parseMessageId(one), undefined, one);
  }
});

void test('claims and heartbeats survive the wire', () => {
  const start = fc.record(
    { incarnation: text, after: text, from: count },
    { ...plain, requiredKeys: ['incarnation', 'from'] },
  );
  const claim = fc.record({ storeId: text, incarnation: text, term: count, starts: fc.array(start) }, plain);
  const problem = fc.record({ code: text, message: text }, plain);
  const heartbeat = fc.record(
    {
      ...{ node: text, incarnation: text, version: text, os: text, architecture: text, kernel: text, hostname: text },
      ...{
        cpus: count,
        memoryBytes: fc.maxSafeNat(),
        indexGeneration: count,
        indexAbove: count,
        backlog: count,
        problem,
      },
    },
    { ...plain, requiredKeys: HEARTBEAT_FIELDS },
  );
  fc.assert(
    fc.property(claim, heartbeat, (oneClaim, oneBeat) => {
      assert.deepEqual(decodeClaim(encodeClaim(oneClaim)), oneClaim);
      assert.deepEqual(decodeHeartbeat(encodeHeartbeat(oneBeat)), oneBeat);
    }),
  );
});

void test('a heartbeat of an older or newer version is read as far as it goes', () => {
  assert.equal(decodeHeartbeat(bytesOf({ node: 'n1', cpus: 'many', future: 1 }))?.cpus, 0);
  assert.equal(decodeHeartbeat(bytesOf({ cpus: 4 })), undefined);
});

const property = fc.record(
  {
    ...{
      name: text,
      type: fc.constantFrom(...PROPERTY_TYPES),
      accessMode: fc.constantFrom('ReadWrite', 'ReadOnly' as const),
    },
    ...{ minimum: text, maximum: text, unit: text, desired: text, collectCycle: count, reportCycle: count },
    keep: fc.constantFrom<Keep>('all', 'last', 'changes', { sampledEvery: 1 }, { sampledEvery: 60_000 }),
    class: fc.constant('telemetry' as const),
  },
  { ...plain, requiredKeys: ['name', 'type', 'accessMode'] },
);
const definition: fc.Arbitrary<DeviceDefinition> = fc.record(
  {
    ...{ namespace: text, name: text, uid: text, binding: count, protocol: text, description: text },
    properties: fc.array(property, { maxLength: 4 }),
  },
  { ...plain, requiredKeys: ['namespace', 'name', 'uid', 'binding', 'protocol', 'properties'] },
);

void test('a definition survives the wire, with settings of its protocol as they are', () => {
  fc.assert(
    fc.property(definition, (one) => {
      assert.deepEqual(decodeDefinition(encodeDefinition(one)), one);
    }),
  );
  const configured: DeviceDefinition = {
    ...{ namespace: 'a', name: 'b', uid: 'c', binding: 1, protocol: 'modbus' },
    protocolConfig: { ip: '10.0.0.7', nested: [1, { deep: true }] },
    properties: [{ name: 'x', type: 'INT', accessMode: 'ReadWrite', visitors: { offset: 2 } }],
  };
  assert.deepEqual(decodeDefinition(encodeDefinition(configured)), configured);
});

void test('a definition without its name, or with a property that has none or no known type, is not understood', () => {
  const whole = { namespace: 'a', name: 'b', uid: 'c', binding: 1, protocol: 'p', properties: [] };
  assert.ok(decodeDefinition(bytesOf(whole)) !== undefined);
  for (const field of ['namespace', 'name', 'uid', 'binding', 'properties']) {
    assert.equal(decodeDefinition(bytesOf({ ...whole, [field]: undefined })), undefined, field);
  }
  for (const one of [null, 5, {}, { name: 'x', type: 'decimal' }, { name: 'x', type: 'constructor' }]) {
    assert.equal(decodeDefinition(bytesOf({ ...whole, properties: [one] })), undefined, JSON.stringify(one));
  }
});

void test('a device is served with the default where its node does not know how much of the history to keep', () => {
  const served = (more: object): unknown => {
    const property = { name: 'x', type: 'INT', accessMode: 'ReadOnly', ...more };
    const whole = { namespace: 'a', name: 'b', uid: 'c', binding: 1, protocol: 'p', properties: [property] };
    return decodeDefinition(bytesOf(whole))?.properties[0];
  };
  const plainly = served({});
  for (const keep of ['everything', 5, null, {}, { sampledEvery: 0 }, { sampledEvery: 'x' }])
    assert.deepEqual(served({ keep }), plainly, JSON.stringify(keep));
  for (const chosen of ['bulk', null, 1, 'twin']) assert.deepEqual(served({ class: chosen }), plainly);
});

void test('an index survives the wire, and a broken one is not understood', () => {
  const keys = fc.dictionary(fc.stringMatching(/^[a-z._]{1,9}$/), text, plain);
  fc.assert(
    fc.property(text, count, keys, (bucket, generation, held) => {
      assert.deepEqual(decodeIndex(encodeIndex({ bucket, generation, keys: held })), {
        bucket,
        generation,
        keys: held,
      });
    }),
  );
  const whole = { bucket: 'b', generation: 1, keys: { a: 'x' } };
  const broken = [
    { ...whole, keys: { a: 1 } },
    { ...whole, keys: { a: null } },
    { ...whole, keys: [] },
  ];
  for (const one of [...broken, { ...whole, bucket: 1 }, { ...whole, generation: null }, [], null, 5]) {
    assert.equal(decodeIndex(bytesOf(one)), undefined, JSON.stringify(one));
  }
});

void test('no decoder throws, whatever the bytes', () => {
  const decoders = [decodeClaim, decodeHeartbeat, decodeDefinition, decodeIndex];
  const bytes = fc.oneof(
    fc.uint8Array({ maxLength: 40 }),
    fc.jsonValue().map(bytesOf),
    fc.record({ properties: fc.jsonValue(), keys: fc.jsonValue(), name: fc.jsonValue() }).map(bytesOf),
  );
  fc.assert(
    fc.property(bytes, (one) => {
      for (const decode of decoders) decode(one);
    }),
  );
});
