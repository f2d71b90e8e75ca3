import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BROKER_OPTIONS, brokerLimitsOf } from '../../../../src/cli/commands/broker-options.ts';
import { optionKey } from '../../../../src/cli/options.ts';

const usual = Object.fromEntries(BROKER_OPTIONS.map(({ flags, default: text }) => [optionKey(flags), text]));

void test('limits are read as counts, sizes and times, and keepalive may be off', () => {
  const limits = brokerLimitsOf({
    ...usual,
    ...{ 'mqtt-connections': '50', 'mqtt-packet': '64KiB', 'mqtt-stalled-after': '2s', 'mqtt-keepalive': '1h' },
  });

  const { connections, packet, stalledAfter, keepalive } = limits;
  assert.deepEqual([connections, packet, stalledAfter, keepalive], [50, 65_536, 2000, 3_600_000]);
  assert.equal(brokerLimitsOf(usual).keepalive, undefined);
});

void test('what is no limit is refused with the option, the value, and what is expected', () => {
  const wrong: Readonly<Record<string, readonly [text: string, expected: RegExp]>> = {
    'mqtt-connections': ['many', /--mqtt-connections "many": expected a whole number from 1 to 1000000/],
    'mqtt-inflight': ['70000', /--mqtt-inflight "70000": expected a whole number from 1 to 65535/],
    'mqtt-packet': ['10', /--mqtt-packet "10": expected a size from 1KiB to 255MiB/],
    'mqtt-keepalive': ['never', /--mqtt-keepalive "never": expected "off" or a time from 1s/],
    'mqtt-session-expiry': ['0s', /--mqtt-session-expiry "0s": expected a time from 1s to 3650d/],
  };

  for (const [key, [text, message]] of Object.entries(wrong))
    assert.throws(() => brokerLimitsOf({ ...usual, [key]: text }), { code: 'OPTION_INVALID', message });
});
