// Retained messages are published anew while subscribers come: what each sees of a topic is never older than what it saw before.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { SessionChanges } from '../../../broker/index.ts';
import { mebibytes } from '../../../src/kit/units.ts';
import { MemorySessions } from '../../support/memory-sessions.ts';
import { waitUntil } from '../../support/wait-until.ts';
import { RawClient } from './raw-client.ts';
import { deferred, startBroker } from './running-broker.ts';

const TOPICS = 60;
const VERSIONS = 60;
const WAYS = [
  [0, true],
  [1, true],
  [1, false],
] as const;

const isQueue = (key: string): boolean => key.startsWith('queue/');

/** A disk that takes what goes into queues when the test likes. */
class SlowQueues extends MemorySessions {
  wait: Promise<unknown> | undefined;

  override async commit(build: () => SessionChanges): Promise<void> {
    const changes = [...build()];
    if (changes.some(([key]) => isQueue(key))) await this.wait;
    await super.commit(() => changes);
  }
}

/** Of each topic, the versions in the order in which they came. */
function seenBy({ received }: RawClient): Map<string, number[]> {
  const seen = new Map<string, number[]>();
  for (const packet of received) {
    if (packet.cmd !== 'publish') continue;
    const versions = seen.get(packet.topic) ?? [];
    versions.push(Number(packet.payload.toString().split(' ', 1)[0]));
    seen.set(packet.topic, versions);
  }
  return seen;
}

function assertInOrder(subscriber: RawClient, last: number): void {
  const seen = seenBy(subscriber);
  assert.equal(seen.size, TOPICS);
  for (const [topic, versions] of seen) {
    assert.deepEqual(
      versions,
      versions.toSorted((a, b) => a - b),
      topic,
    );
    assert.equal(versions.at(-1), last, topic);
  }
}

for (const [qos, clean] of WAYS) {
  const whose = `a ${clean ? 'clean' : 'kept'} session at QoS ${qos}`;

  void test(`what a subscriber reads late of retained messages is not older than what it read before: ${whose}`, async (t) => {
    const limits = { backlog: mebibytes(64), sessionBytes: mebibytes(64), totalSessionBytes: mebibytes(64) };
    const large = { retainedBytes: mebibytes(64) };
    await using running = await startBroker({ limits: { ...limits, ...large } }, 0, new MemorySessions());
    const { broker } = running;
    const publish = async (version: number): Promise<void> => {
      for (let topic = 0; topic < TOPICS; topic += 1)
        await broker.publish(`news/${topic}`, `${version} ${'x'.repeat(200_000)}`, { qos, retain: true });
    };
    await publish(1);
    const subscriber = await RawClient.connected(running.port, 'subscriber', clean);
    t.after(() => subscriber.end());
    subscriber.socket.pause();
    subscriber.send({ cmd: 'subscribe', messageId: 1, subscriptions: [{ topic: 'news/+', qos }] });
    await waitUntil('it to be a burden', () => broker.statistics.backlogBytes > 0);

    await publish(2);
    subscriber.socket.resume();
    await waitUntil('all to be taken', () => broker.statistics.backlogBytes === 0);
    await subscriber.ping();

    assertInOrder(subscriber, 2);
  });

  void test(`who subscribes in the midst of retained messages sees none after a newer one: ${whose}`, async (t) => {
    await using running = await startBroker({}, 0, new MemorySessions());
    const publisher = await RawClient.connected(running.port, 'publisher');
    t.after(() => publisher.end());
    const subscribers: RawClient[] = [];
    let messageId = 0;

    for (let version = 1; version <= VERSIONS; version += 1) {
      for (let topic = 0; topic < TOPICS; topic += 1)
        publisher.send({
          ...{ cmd: 'publish', topic: `news/${topic}`, payload: `${version}`, retain: true, dup: false },
          ...(qos === 0 ? { qos } : { qos, messageId: (messageId += 1) }),
        });
      if (version % 5 !== 0) continue;
      const subscriber = await RawClient.connected(running.port, `subscriber-${version}`, clean);
      t.after(() => subscriber.end());
      subscriber.send({ cmd: 'subscribe', messageId: 1, subscriptions: [{ topic: 'news/+', qos }] });
      subscribers.push(subscriber);
    }
    await publisher.ping();

    for (const subscriber of subscribers) {
      await subscriber.ping();
      assertInOrder(subscriber, VERSIONS);
    }
  });
}

void test('a retained message that is outdated while it is put into a session on a slow disk is neither sent nor left there', async (t) => {
  const storage = new SlowQueues();
  await using running = await startBroker({}, 0, storage);
  const { broker } = running;
  const queued = () => broker.statistics.sessions?.queuedMessages;
  const keeper = await RawClient.connected(running.port, 'keeper', false);
  t.after(() => keeper.end());
  await keeper.subscribe('other', 2);
  const publisher = await RawClient.connected(running.port, 'publisher');
  t.after(() => publisher.end());
  publisher.send({ cmd: 'publish', topic: 'news', payload: '1', retain: true, dup: false, qos: 2, messageId: 1 });
  await publisher.next('pubrec');
  await keeper.subscribe('news', 2);
  const first = await keeper.next('publish');
  keeper.send({ cmd: 'pubrec', messageId: first.messageId ?? 0 });
  await keeper.next('pubrel');
  keeper.send({ cmd: 'pubcomp', messageId: first.messageId ?? 0 });
  await waitUntil('the session to be empty', () => ![...storage.records.keys()].some(isQueue));
  const disk = deferred<void>();
  storage.wait = disk.promise;

  keeper.send({ cmd: 'subscribe', messageId: 2, subscriptions: [{ topic: 'news', qos: 2 }] });
  await waitUntil('it to be on its way', () => queued() === 1);
  await broker.publish('news', '2', { qos: 1, retain: true });
  await waitUntil('the newer one', () => seenBy(keeper).get('news')?.length === 2);
  disk.resolve();
  await waitUntil('the older one to be gone', () => queued() === 1);
  await keeper.ping();

  assert.deepEqual(seenBy(keeper).get('news'), [1, 2]);
  assert.equal(queued(), 1);
});
