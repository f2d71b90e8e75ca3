import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseRequest, parseStateUpdate, parseTwinUpdate } from '../../../../../src/edge/ingress/publication-parser.ts';

const bytesOf = (value: unknown): Uint8Array => Buffer.from(typeof value === 'string' ? value : JSON.stringify(value));

function accepted(payload: unknown) {
  const parsed = parseTwinUpdate(bytesOf(payload));
  return parsed.kind === 'ok' ? parsed : assert.fail(parsed.reason);
}

function reasonOf(payload: unknown): string {
  const parsed = parseTwinUpdate(bytesOf(payload));
  return parsed.kind === 'refused' ? parsed.reason : assert.fail('not refused');
}

void test('the request of the contract is understood', () => {
  const { eventId, value } = accepted(
    '{"event_id":"req-1","timestamp":1767225600000,"twin":{"setpoint":{"expected":{"value":"70"},"metadata":{"type":"int"}},"temp":{"actual":{"value":"64.5"}}}}',
  );

  assert.equal(eventId, 'req-1');
  assert.deepEqual(value, [
    { property: 'setpoint', expected: { raw: '70' }, typeName: 'int' },
    { property: 'temp', actual: { raw: '64.5', deviceTime: 1_767_225_600_000 } },
  ]);
});

void test('the classic counter is understood: no event id, no time, the type Updated', () => {
  const { eventId, value } = accepted(
    '{"event_id":"","timestamp":0,"twin":{"status":{"actual":{"value":"5"},"metadata":{"type":"Updated"}}}}',
  );

  assert.equal(eventId, '');
  assert.deepEqual(value, [{ property: 'status', actual: { raw: '5' }, typeName: 'Updated' }]);
});

void test('field names are matched in any case, names of properties are not', () => {
  const { eventId, value } = accepted({
    EVENT_ID: 'a',
    Twin: { Temp: { ACTUAL: { Value: 5, Metadata: { TimeStamp: 7 } }, METADATA: { Type: 'int' } } },
  });

  assert.equal(eventId, 'a');
  assert.deepEqual(value, [{ property: 'Temp', actual: { raw: 5, deviceTime: 7 }, typeName: 'int' }]);
});

void test('null in the place of a property asks to remove it, and what stands beside values is told', () => {
  assert.deepEqual(accepted({ twin: { a: null, b: { optional: false, metadata: { type: 'int' } }, c: null } }).value, [
    { property: 'a', isRemoval: true },
    { property: 'b', typeName: 'int', optional: false },
    { property: 'c', isRemoval: true },
  ]);
});

void test('values may be any JSON, and null parts are absent', () => {
  const twin = {
    a: { actual: { value: 0 } },
    b: { actual: { value: false }, expected: null },
    c: { actual: { value: { x: [1] } } },
  };
  const values = accepted({ twin: { ...twin, d: {}, e: { actual: { value: '' } } }, event_id: null }).value;

  assert.deepEqual(
    values.map(({ actual }) => actual?.raw),
    [0, false, { x: [1] }, undefined, ''],
  );
  assert.ok(values.every(({ expected }) => expected === undefined));
});

void test('the time of the value goes before that of the request, and one that is no time is none', () => {
  const timeOf = (own: unknown, request: unknown): number | undefined =>
    accepted({ timestamp: request, twin: { a: { actual: { value: 1, metadata: { timestamp: own } } } } }).value[0]
      ?.actual?.deviceTime;

  assert.equal(timeOf(5, 6), 5);
  assert.equal(timeOf('5', 6), 5);
  for (const none of [0, -1, 1.5, 'soon', '', null, {}, 8.64e15, 1e300]) {
    assert.equal(timeOf(none, 6), 6);
    assert.equal(timeOf(none, none), undefined);
  }
});

void test('names that every JavaScript object has are refused as names of properties', () => {
  for (const name of ['__proto__', 'constructor', 'toString', 'hasOwnProperty', 'valueOf', '__defineGetter__']) {
    assert.match(reasonOf(`{"twin":{"${name}":{"actual":{"value":"1"}}}}`), new RegExp(`"${name}" is reserved`));
  }
});

void test('fields that a payload does not have are not found on the objects of the language', () => {
  assert.match(reasonOf('{"__proto__":{"twin":{"a":{}}}}'), /"twin" is missing/);
  assert.match(reasonOf('{"twin":{"a":{"actual":{"__proto__":{"value":"1"}}}}}'), /"a".*"value"/);
});

void test('a refusal says what is wrong with which property, and keeps the event id', () => {
  const cases: readonly (readonly [unknown, RegExp])[] = [
    [{ twin: { temp: { optional: 'no' } } }, /"temp": "optional" must be true or false/],
    [{ twin: { temp: { metadata: 'int' } } }, /"temp": "metadata" must be an object/],
    [{ twin: { temp: { metadata: { type: 5 } } } }, /"temp": the "type" in "metadata" must be a string/],
    [{ twin: { temp: 5 } }, /"temp" must be an object/],
    [{ twin: { temp: [1] } }, /"temp" must be an object/],
    [{ twin: { temp: { actual: {} } } }, /"temp": "actual" must be an object with a "value"/],
    [{ twin: { temp: { actual: '5' } } }, /"temp": "actual"/],
    [{ twin: { temp: { actual: { value: null } } } }, /"temp": "actual"/],
    [{ twin: { temp: { expected: {} } } }, /"temp": "expected"/],
    [{ twin: { 'a b': {} } }, /"a b" must be 1 to 128/],
    [{ twin: { '': {} } }, /"" must be 1 to 128/],
    [{ twin: { ['x'.repeat(129)]: {} } }, /1 to 128/],
    [{ twin: [] }, /^Unmarshal update request body failed, .*"twin" is not an object/],
    [{}, /^Update twin error, key:twin does not exist: the field "twin" is missing/],
    [{ twin: null }, /^Update twin error/],
  ];
  for (const [payload, reason] of cases) {
    const parsed = parseTwinUpdate(bytesOf({ event_id: 'e1', ...(payload as object) }));
    assert.ok(parsed.kind === 'refused', JSON.stringify(payload));
    assert.match(parsed.reason, reason);
    assert.equal(parsed.eventId, 'e1');
  }
});

void test('a payload that is no JSON object is refused', () => {
  for (const payload of ['{', '[]', '5', '"twin"', 'null', '\u0000', '{"twin":{}}}']) {
    assert.match(reasonOf(payload), /not a JSON object/);
  }
});

void test('a name of any length does not make a long reason', () => {
  assert.ok(reasonOf({ twin: { ['x'.repeat(100_000)]: {} } }).length < 400);
});

void test('no bytes and no JSON make a parser throw', () => {
  const names = fc.oneof(
    fc.constantFrom('twin', 'Twin', 'actual', 'expected', 'value', 'metadata', '__proto__', 'a'),
    fc.string(),
  );
  const { tree } = fc.letrec((tie) => ({
    tree: fc.oneof({ maxDepth: 5 }, fc.jsonValue(), fc.dictionary(names, tie('tree'), { maxKeys: 4 })),
  }));
  const payload = fc.oneof(fc.uint8Array({ maxLength: 80 }), fc.string().map(bytesOf), tree.map(bytesOf));
  fc.assert(
    fc.property(payload, (bytes) => {
      for (const parse of [parseTwinUpdate, parseStateUpdate, parseRequest]) {
        const parsed = parse(bytes);
        assert.equal(typeof parsed.eventId, 'string');
      }
    }),
    { numRuns: 300 },
  );
});

void test('a state is one of the known words in any case, as the sender wrote it', () => {
  for (const state of ['online', 'Offline', 'OK', 'unknown', 'unhealthy']) {
    assert.deepEqual(parseStateUpdate(bytesOf({ event_id: 'e', state })), { kind: 'ok', eventId: 'e', value: state });
  }
  for (const state of ['disconnected', '', 5, null, undefined]) {
    const parsed = parseStateUpdate(bytesOf({ event_id: 'e', state }));
    assert.ok(parsed.kind === 'refused' && parsed.eventId === 'e' && parsed.reason.includes('unhealthy'));
  }
});

void test('a request without a payload is one without an event id', () => {
  assert.deepEqual(parseRequest(new Uint8Array()), { kind: 'ok', eventId: '', value: {} });
});
