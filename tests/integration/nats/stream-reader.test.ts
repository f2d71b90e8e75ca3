import assert from 'node:assert/strict';
import { test } from 'node:test';
import { mebibytes } from '../../../src/kit/units.ts';
import { ensureStreams } from '../../../src/nats/jetstream-admin.ts';
import { readStream } from '../../../src/nats/stream-reader.ts';
import { wantedStreams } from '../../../src/nats/stream-plan.ts';
import { startNats } from '../../support/nats-server.ts';
import { linkTo } from './link-to.ts';

async function textsIn(link: Parameters<typeof readStream>[0]): Promise<string[]> {
  const texts: string[] = [];
  await readStream(link, 'skerry-up', ({ data }) => texts.push(Buffer.from(data).toString()));
  return texts;
}

void test('a stream is read whole and in order, also when its first and last messages are gone', async () => {
  await using nats = await startNats();
  await using linked = await linkTo(nats);
  const { link } = linked;
  await ensureStreams(link, wantedStreams(mebibytes(16)));
  assert.deepEqual(await textsIn(link), []);
  const connection = link.jetStreamConnection();
  assert.ok(connection);
  const numbers = Array.from({ length: 1200 }, (_, place) => String(place + 1));
  for (const number of numbers) connection.publish('skerry.n.up.twin.default.d', number);
  await connection.flush();

  assert.deepEqual(await textsIn(link), numbers);
  const manager = await connection.jetstreamManager();
  for (const sequence of [1, 600, 1200]) await manager.streams.deleteMessage('skerry-up', sequence);
  assert.deepEqual(
    await textsIn(link),
    numbers.filter((number) => !['1', '600', '1200'].includes(number)),
  );
  assert.equal((await manager.streams.info('skerry-up')).state.consumer_count, 0, 'readers left behind');
});

void test('a stream that is not there cannot be read', async () => {
  await using nats = await startNats();
  await using linked = await linkTo(nats);

  await assert.rejects(textsIn(linked.link), { code: 'NATS_UNAVAILABLE' });
});
