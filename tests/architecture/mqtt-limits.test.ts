// docs/reference/mqtt-limits.md lists every limit of MQTT clients as the broker and the command line have it.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CLIENT_LIMITS } from '../../broker/client-limits.ts';
import { ENDS, REFUSALS } from '../../broker/endings.ts';
import { DEFAULT_LIMITS } from '../../broker/index.ts';
import { BROKER_OPTIONS, brokerLimitsOf } from '../../src/cli/commands/broker-options.ts';
import { optionKey } from '../../src/cli/options.ts';
import { sizeText } from '../../src/cli/sizes.ts';
import { codes, tableRows } from './docs.ts';

const PAGE = 'docs/reference/mqtt-limits.md';
const ending = Object.entries(CLIENT_LIMITS);
const FIXED: Readonly<Record<string, string>> = {
  'client-id-bytes': sizeText(DEFAULT_LIMITS.clientIdBytes),
  unannounced: String(DEFAULT_LIMITS.unannounced),
  filters: String(DEFAULT_LIMITS.filters),
  unfinished: sizeText(DEFAULT_LIMITS.unfinishedBytes),
};

const optionOf = (limit: string): readonly [option?: string, usual?: string] => {
  const found = BROKER_OPTIONS.find((one) => one.limit === limit);
  return found === undefined ? [] : [`--${optionKey(found.flags)}`, found.default];
};

void test('the limits that end a connection are listed with option, default and what the client sees', () => {
  const listed = tableRows(PAGE, 'Limits that end a connection').map(([reason, option, usual, sees]) => [
    ...[codes(reason)[0], codes(option)[0], codes(usual)[0], sees],
  ]);
  const built = ending.map(([reason, limit]) => {
    const [option, usual = FIXED[reason]] = optionOf(limit.limit);
    const sees = 'connack' in limit ? `CONNACK ${limit.connack}` : 'its connection ends';
    return [reason, option, usual, sees];
  });

  assert.deepEqual(listed, built);
});

void test('the log names the option that there is, and every reason is counted', () => {
  for (const [reason, limit] of ending) {
    assert.equal('option' in limit ? limit.option : undefined, optionOf(limit.limit)[0], reason);
    assert.ok(
      [...REFUSALS, ...ENDS].some((counted) => counted === reason),
      reason,
    );
  }
});

void test('the limits of what is kept are listed with option and default', () => {
  const listed = tableRows(PAGE, 'Limits of what is kept').map(([option, usual]) => [
    codes(option)[0],
    codes(usual)[0],
  ]);
  const built = BROKER_OPTIONS.filter(({ limit }) => !ending.some(([, one]) => one.limit === limit));

  assert.deepEqual(
    listed,
    built.map(({ limit }) => optionOf(limit)),
  );
});

void test('the defaults of the options are those of the broker', () => {
  const settings = Object.fromEntries(BROKER_OPTIONS.map(({ flags, default: usual }) => [optionKey(flags), usual]));

  const read = brokerLimitsOf(settings);

  const wanted = Object.entries(DEFAULT_LIMITS).filter(([limit]) => optionOf(limit).length > 0);
  assert.deepEqual(read, Object.fromEntries(wanted));
});
