import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { deviceKey, parseDeviceKey } from '../../../../src/model/device.ts';
import { compareVersions, formatVersion, parseVersion, type Version } from '../../../../src/model/version.ts';

const counter = fc.nat({ max: 1000 });
const version: fc.Arbitrary<Version> = fc.record(
  { binding: counter, term: counter, n: counter },
  { noNullPrototype: true },
);

void test('a version survives its text', () => {
  fc.assert(
    fc.property(version, (one) => {
      assert.deepEqual(parseVersion(formatVersion(one)), one);
    }),
  );
});

void test('what is no version is none', () => {
  for (const text of ['', '1.2', '1.2.3.4', '1.2.-3', ' 1.2.3', '1.2.3\n', 'a.b.c', '1..3', '1.2.3e1']) {
    assert.equal(parseVersion(text), undefined, JSON.stringify(text));
  }
});

void test('versions have one order: binding before term before n', () => {
  fc.assert(
    fc.property(version, version, version, (a, b, c) => {
      assert.equal(Math.sign(compareVersions(a, b)), -Math.sign(compareVersions(b, a)) + 0);
      if (compareVersions(a, b) <= 0 && compareVersions(b, c) <= 0) assert.ok(compareVersions(a, c) <= 0);
      assert.equal(compareVersions(a, b) === 0, formatVersion(a) === formatVersion(b));
    }),
  );
  assert.ok(compareVersions({ binding: 2, term: 0, n: 0 }, { binding: 1, term: 9, n: 9 }) > 0);
  assert.ok(compareVersions({ binding: 1, term: 2, n: 0 }, { binding: 1, term: 1, n: 9 }) > 0);
});

void test('a device key names its device, and one without a namespace means the default one', () => {
  const name = fc.stringMatching(/^[a-z0-9]([a-z0-9.-]{0,20}[a-z0-9])?$/);
  fc.assert(
    fc.property(name, name, (namespace, device) => {
      assert.deepEqual(parseDeviceKey(deviceKey({ namespace, name: device })), { namespace, name: device });
    }),
  );
  assert.deepEqual(parseDeviceKey('counter'), { namespace: 'default', name: 'counter' });
});
