import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  encodeMessage,
  journalKey,
  messageKey,
  queueKey,
  readRecords,
  retainedKey,
  type StoredMessage,
} from '../../../../broker/sessions/session-records.ts';

const message = (change: Partial<StoredMessage> = {}): string =>
  encodeMessage({ topic: 'news', payload: Buffer.from('x'), qos: 1, retain: false, dup: false, ...change });

async function journalOf(records: Readonly<Record<string, string>>): Promise<readonly number[]> {
  async function* entries(): AsyncGenerator<readonly [string, string]> {
    for (const entry of Object.entries(records)) yield await Promise.resolve(entry);
  }
  return (await readRecords(entries())).journal;
}

test('a stored message of QoS 1 that nobody holds was not routed', async () => {
  assert.deepEqual(await journalOf({ [messageKey(7)]: message() }), [7]);
});

test('one that a queue or a topic holds was routed', async () => {
  const queued = { [messageKey(7)]: message(), [queueKey('keeper', 7)]: '{"qos":1}' };
  assert.deepEqual(await journalOf(queued), []);
  const retained = { [messageKey(7)]: message({ retain: true }), [retainedKey('news')]: '7' };
  assert.deepEqual(await journalOf(retained), []);
});

test('retained messages and those of QoS 2 were not routed only where an entry says so', async () => {
  for (const change of [{ retain: true }, { qos: 2 }] as const) {
    assert.deepEqual(await journalOf({ [messageKey(7)]: message(change) }), []);
    assert.deepEqual(await journalOf({ [messageKey(7)]: message(change), [journalKey(7)]: '1' }), [7]);
  }
});

test('an entry that an earlier version wrote counts once, also beside a queue', async () => {
  const entry = { [messageKey(7)]: message(), [journalKey(7)]: '1' };
  assert.deepEqual(await journalOf(entry), [7]);
  assert.deepEqual(await journalOf({ ...entry, [queueKey('keeper', 7)]: '{"qos":1}' }), [7]);
});
