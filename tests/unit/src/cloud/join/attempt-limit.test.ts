import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { AttemptLimit, networkOf } from '../../../../../src/cloud/join/attempt-limit.ts';

const LIMITS = { each: { burst: 3, perSecond: 1 }, all: { burst: 5, perSecond: 2 }, addresses: 4 };

test('an address may fail as often as its burst, and then once for each time of its rate', () => {
  const limit = new AttemptLimit(LIMITS);
  for (let attempt = 0; attempt < 3; attempt += 1) assert.equal(limit.begin('10.0.0.1', 0), undefined);
  assert.equal(limit.begin('10.0.0.1', 0), 1);
  assert.equal(limit.begin('10.0.0.2', 0), undefined);
  assert.equal(limit.begin('10.0.0.1', 1), undefined);
  assert.equal(limit.begin('10.0.0.1', 1), 1);
});

test('attempts that succeed cost nothing, however many', () => {
  const limit = new AttemptLimit(LIMITS);
  for (let attempt = 0; attempt < 100; attempt += 1) {
    assert.equal(limit.begin('10.0.0.1', 0), undefined);
    limit.forgive('10.0.0.1', 0);
  }
  assert.equal(limit.size, 0);
});

test('many addresses together fail no more often than all may', () => {
  const limit = new AttemptLimit(LIMITS);
  const waits = ['1', '2', '3', '4', '5', '6'].map((last) => limit.begin(`10.0.0.${last}`, 0));
  assert.deepEqual(waits, [undefined, undefined, undefined, undefined, undefined, 1]);
});

test('whatever comes, no more is let through than the limits say, and no more addresses are kept', () => {
  const step = fc.record({ address: fc.integer({ min: 0, max: 9 }), after: fc.integer({ min: 0, max: 2 }) });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 100 }), (steps) => {
      const limit = new AttemptLimit(LIMITS);
      let [now, passed] = [0, 0];
      for (const { address, after } of steps) {
        now += after;
        if (limit.begin(`10.0.0.${address}`, now) === undefined) passed += 1;
        assert.ok(passed <= LIMITS.all.burst + LIMITS.all.perSecond * now);
        assert.ok(limit.size <= LIMITS.addresses);
      }
    }),
  );
});

test('an IPv4 address counts for itself in either form, and an IPv6 address for its network', () => {
  assert.equal(networkOf('::ffff:10.0.0.1'), networkOf('10.0.0.1'));
  assert.equal(networkOf('2001:db8:1:2::1'), networkOf('2001:db8:1:2:ffff:ffff:ffff:ffff'));
  assert.equal(networkOf('2001:db8::1'), networkOf('2001:0db8:0:0::2'));
  assert.notEqual(networkOf('2001:db8:1:2::1'), networkOf('2001:db8:1:3::1'));
  assert.equal(networkOf('fe80::1%eth0'), networkOf('fe80::2'));
});
