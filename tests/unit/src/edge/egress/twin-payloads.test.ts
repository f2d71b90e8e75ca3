// The examples of the KubeEdge contract (section 1.6), as text: names, order and shapes are what clients of it parse.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  deltaPayload,
  documentPayload,
  errorPayload,
  resultPayload,
  statePayload,
  twinPayload,
} from '../../../../../src/edge/egress/twin-payloads.ts';
import type { Touched } from '../../../../../src/model/property-update.ts';
import type { Twin } from '../../../../../src/model/twin.ts';

const THEN = 1_767_225_600_012;
const HEAD = { eventId: 'req-1', now: THEN };
const EMPTY: Twin = { namespace: 'plant', name: 'boiler-7', uid: 'u', binding: 1, properties: {} };
const TWIN: Twin = {
  ...EMPTY,
  properties: {
    setpoint: { type: 'INT', desired: { value: '70', n: 1, at: THEN, revision: 5, origin: 'local' } },
    temp: { type: 'STRING', reported: { value: '64.5', n: 3, at: THEN, deviceTime: 5 } },
  },
};
const SUPPLIED: readonly Touched[] = [
  { property: 'temp', kind: 'set', isReported: true },
  { property: 'setpoint', kind: 'set', isReported: false, expected: '70' },
];

void test('twin/update/result', () => {
  assert.equal(
    resultPayload(HEAD, TWIN, SUPPLIED),
    '{"event_id":"req-1","timestamp":1767225600012,"twin":{"setpoint":{"expected":{"value":"70","metadata":{"timestamp":1767225600012}},"optional":true,"metadata":{"type":"int"}},"temp":{"actual":{"value":"64.5","metadata":{"timestamp":1767225600012}},"optional":true,"metadata":{"type":"string"}}}}',
  );
});

void test('twin/update/result names only the parts that the request supplied', () => {
  const both: Twin = {
    ...EMPTY,
    properties: {
      setpoint: { ...TWIN.properties['setpoint'], type: 'INT', reported: { value: '69', n: 1, at: THEN } },
    },
  };

  assert.equal(
    resultPayload(HEAD, both, [{ property: 'setpoint', kind: 'set', isReported: true }]),
    '{"event_id":"req-1","timestamp":1767225600012,"twin":{"setpoint":{"actual":{"value":"69","metadata":{"timestamp":1767225600012}},"optional":true,"metadata":{"type":"int"}}}}',
  );
});

void test('twin/update/document', () => {
  assert.equal(
    documentPayload(HEAD, EMPTY, TWIN, ['setpoint', 'temp']),
    '{"event_id":"req-1","timestamp":1767225600012,"twin":{"setpoint":{"last":null,"current":{"expected":{"value":"70","metadata":{"timestamp":1767225600012}},"optional":true,"metadata":{"type":"int"}}},"temp":{"last":null,"current":{"actual":{"value":"64.5","metadata":{"timestamp":1767225600012}},"optional":true,"metadata":{"type":"string"}}}}}',
  );
});

void test('twin/update/document of a property that was there and is gone', () => {
  assert.equal(
    documentPayload(HEAD, TWIN, EMPTY, ['temp']),
    '{"event_id":"req-1","timestamp":1767225600012,"twin":{"temp":{"last":{"actual":{"value":"64.5","metadata":{"timestamp":1767225600012}},"optional":true,"metadata":{"type":"string"}},"current":null}}}',
  );
});

void test('twin/update/delta: every property with a desired value, and what differs', () => {
  const more: Twin = {
    ...TWIN,
    properties: {
      ...TWIN.properties,
      speed: {
        type: 'DOUBLE',
        desired: { value: '1', n: 1, at: 5, revision: 5, origin: 'cloud' },
        reported: { value: '1', n: 1, at: 6 },
      },
    },
  };

  assert.equal(
    deltaPayload(HEAD, more),
    '{"event_id":"req-1","timestamp":1767225600012,"twin":{"setpoint":{"expected":{"value":"70","metadata":{"timestamp":1767225600012}},"optional":true,"metadata":{"type":"int"}},"speed":{"expected":{"value":"1","metadata":{"timestamp":5}},"actual":{"value":"1","metadata":{"timestamp":6}},"optional":true,"metadata":{"type":"double"}}},"delta":{"setpoint":"70"}}',
  );
});

void test('there is no delta when everything is as desired, or the desired value is empty', () => {
  const empty = { value: '', n: 1, at: 5, revision: 5, origin: 'cloud' as const };

  assert.equal(deltaPayload(HEAD, EMPTY), undefined);
  assert.equal(deltaPayload(HEAD, { ...EMPTY, properties: { a: { type: 'STRING', desired: empty } } }), undefined);
});

void test('twin/get/result', () => {
  assert.equal(twinPayload(HEAD, EMPTY), '{"event_id":"req-1","timestamp":1767225600012,"twin":{}}');
  assert.equal(
    twinPayload(
      { eventId: 'get-9', now: 1_767_225_601_003 },
      { ...EMPTY, properties: { temp: TWIN.properties['temp']! } },
    ),
    '{"event_id":"get-9","timestamp":1767225601003,"twin":{"temp":{"actual":{"value":"64.5","metadata":{"timestamp":1767225600012}},"optional":true,"metadata":{"type":"string"}}}}',
  );
});

void test('state/update/result names the time of being online, and only then', () => {
  const inState = (state: string): string =>
    statePayload(
      { eventId: '0d7c', now: 1_767_225_603_004 },
      { ...EMPTY, state: { state, n: 1, at: 1_767_225_603_004 } },
    );

  assert.equal(
    inState('online'),
    '{"event_id":"0d7c","timestamp":1767225603004,"device":{"name":"boiler-7","state":"online","lastOnlineTime":"2026-01-01T00:00:03Z"}}',
  );
  assert.ok(inState('OK').includes('lastOnlineTime'));
  assert.equal(
    inState('offline'),
    '{"event_id":"0d7c","timestamp":1767225603004,"device":{"name":"boiler-7","state":"offline"}}',
  );
});

void test('an error', () => {
  assert.equal(
    errorPayload({ eventId: 'req-2', now: 1_767_225_608_000 }, { code: 404, reason: 'no such device' }),
    '{"event_id":"req-2","timestamp":1767225608000,"code":404,"reason":"no such device"}',
  );
});
