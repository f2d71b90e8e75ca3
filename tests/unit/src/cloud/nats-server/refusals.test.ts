// What a nats-server 2.9.10 wrote, line by line.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { refusalOf } from '../../../../../src/cloud/nats-server/refusals.ts';

const KEY = 'UC6243I7GTJJRPJM2X3VC6WB4EQOIA4B6MYJCREHR6WX6AHLTHRI2OBA';
const at = (said: string): string => `[11534] 2026/11/24 12:13:42.073751 [ERR] 10.0.0.7:34498 - cid:28 - ${said}`;
const address = '10.0.0.7:34498';

const SAID = [
  [
    `"v2.29.3:nats.js" - Publish Violation - Nkey "${KEY}", Subject "skerry.other.up.twin.x.y"`,
    { reason: 'publish', address, user: KEY, subject: 'skerry.other.up.twin.x.y' },
  ],
  [
    `"v2.29.3:nats.js" - Subscription Violation - JWT User "${KEY}", Subject "_INBOX_other.>", Queue: "q", SID 2`,
    { reason: 'subscribe', address, user: KEY, subject: '_INBOX_other.>' },
  ],
  [`"v2.29.3:nats.js" - authentication error`, { reason: 'authentication', address }],
  ['TLS handshake error: read tcp 10.0.0.1:4222->10.0.0.7:34498: i/o timeout', { reason: 'handshake', address }],
  ['"v2.29.3:nats.js" - maximum subscriptions exceeded', { reason: 'subscriptions', address }],
  ['"v2.29.3:nats.js" - maximum payload exceeded: 2000000 vs 1114112', { reason: 'payload', address }],
] as const;

for (const [said, refused] of SAID)
  void test(`a refusal is understood: ${refused.reason}`, () => {
    assert.deepEqual(refusalOf(at(said)), refused);
  });

for (const line of [
  '[1] 2026/11/24 12:13:41.733797 [INF] Server is ready',
  at('TLS handshake error: EOF'),
  at('TLS handshake timeout'),
  at('"Publish Violation" - Slow Consumer Detected'),
])
  void test(`what is no refusal is none: ${line.slice(40)}`, () => {
    assert.equal(refusalOf(line), undefined);
  });

void test('whatever a line holds, reading it does not fail', () => {
  fc.assert(fc.property(fc.string(), (noise) => void refusalOf(at(`Publish Violation - ${noise}`))));
});
