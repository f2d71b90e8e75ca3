// What a new subscription is told of retained messages.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { IPublishPacket } from 'mqtt-packet';
import { MemorySessions } from '../../support/memory-sessions.ts';
import { RawClient } from './raw-client.ts';
import { startBroker } from './running-broker.ts';

void test('a retained message that was not acknowledged is sent again as one, also by the next broker', async () => {
  const storage = new MemorySessions();
  const first = await startBroker({}, 0, storage);
  await first.broker.publish('news', 'kept', { retain: true });
  const before = await RawClient.connected(first.port, 'keeper', false);
  await before.subscribe('news');
  const { messageId } = (await before.next('publish')) as IPublishPacket;
  await first.broker.publish('news', 'live', { retain: true });
  before.end();
  await first.stop();

  await using second = await startBroker({}, 0, new MemorySessions(storage.records));
  const again = await RawClient.connected(second.port, 'keeper', false);
  await again.ping();

  const seen = again.received.flatMap((packet) => (packet.cmd === 'publish' ? [packet] : []));
  assert.deepEqual(
    seen.map(({ payload, retain, dup }) => [payload.toString(), retain, dup]),
    [
      ['kept', true, true],
      ['live', false, true],
    ],
  );
  assert.equal(seen[0]?.messageId, messageId);
  again.end();
});
