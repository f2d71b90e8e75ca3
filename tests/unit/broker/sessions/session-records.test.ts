import assert from 'node:assert/strict';
import { test } from 'node:test';
import { JournalPage } from '../../../../broker/sessions/journal-page.ts';
import {
  journalKey,
  messageKey,
  pageKey,
  queueKey,
  readRecords,
  type SessionRecords,
} from '../../../../broker/sessions/session-records.ts';
import { encodeMessage, type StoredMessage } from '../../../../broker/sessions/stored-message.ts';

const message = (change: Partial<StoredMessage> = {}): string =>
  encodeMessage({ topic: 'news', payload: Buffer.from('x'), qos: 1, retain: false, dup: false, ...change });

function page(...numbers: readonly number[]): string {
  const made = new JournalPage();
  for (const n of numbers) made.add({ n, topic: 'paged', payload: Buffer.from(`payload ${n}`) });
  return made.encode();
}

async function recordsOf(records: Readonly<Record<string, string>>): Promise<SessionRecords> {
  async function* entries(): AsyncGenerator<readonly [string, string]> {
    for (const entry of Object.entries(records)) yield await Promise.resolve(entry);
  }
  return await readRecords(entries());
}

async function journalOf(records: Readonly<Record<string, string>>): Promise<readonly number[]> {
  return (await recordsOf(records)).journal;
}

test('a message on a page that no queue holds was not routed', async () => {
  const paged = { [pageKey(7)]: page(7, 8) };
  assert.deepEqual(await journalOf(paged), [7, 8]);
  assert.deepEqual(await journalOf({ ...paged, [queueKey('keeper', 7)]: '{"qos":1}' }), [8]);
});

test('what a message has in a record of its own counts more than its page', async () => {
  const { messages, paged, pages } = await recordsOf({ [messageKey(7)]: message(), [pageKey(6)]: page(6, 7) });
  assert.deepEqual([messages.get(6)?.topic, messages.get(7)?.topic], ['paged', 'news']);
  assert.deepEqual([[...paged], pages], [[6], [6]]);
});

test('a page that is damaged is unreadable as a whole', async () => {
  for (const damaged of [page(7, 8).slice(0, -3), '{}', '{"messages":[[7,"news",2]],"payloads":"eA=="}']) {
    const { messages, unreadable } = await recordsOf({ [pageKey(7)]: damaged });
    assert.deepEqual([messages.size, unreadable.map(({ key }) => key)], [0, [pageKey(7)]]);
  }
});

test('retained messages and those of QoS 2 were not routed only where an entry says so', async () => {
  for (const change of [{ retain: true }, { qos: 2 }] as const) {
    assert.deepEqual(await journalOf({ [messageKey(7)]: message(change) }), []);
    assert.deepEqual(await journalOf({ [messageKey(7)]: message(change), [journalKey(7)]: '1' }), [7]);
  }
});
