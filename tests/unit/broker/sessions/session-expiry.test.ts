// Sessions end when their clients have been away for long enough, by a clock that may jump and a process that is started again.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Audience } from '../../../../broker/audience.ts';
import { DEFAULT_LIMITS } from '../../../../broker/index.ts';
import { createSessions, type Sessions } from '../../../../broker/sessions/sessions.ts';
import { Deadline } from '../../../../src/kit/deadline.ts';
import { silentLogger } from '../../../../src/kit/logger.ts';
import { seconds } from '../../../../src/kit/units.ts';
import { ManualClock } from '../../../support/manual-clock.ts';
import { MemorySessions, SlowSessions } from '../../../support/memory-sessions.ts';

const HOUR = 3_600_000;
const EXPIRY = seconds(10 * 3600);
const KEEPER = { id: 'keeper', clean: false };

class Node {
  readonly storage: MemorySessions;
  readonly clock: ManualClock;
  readonly sessions: Sessions;
  readonly audience = new Audience();

  constructor(storage = new MemorySessions(), clock = new ManualClock(Date.UTC(2026, 0, 1))) {
    this.storage = storage;
    this.clock = clock;
    const tools = { audience: this.audience, storage, clock, logger: silentLogger };
    this.sessions = createSessions({ ...DEFAULT_LIMITS, sessionExpiry: EXPIRY }, tools);
  }

  async start(): Promise<this> {
    await this.sessions.persistence.setup({ id: 'broker' });
    return this;
  }

  /** Subscribes and leaves, and has a message waiting. */
  async leaveSession(): Promise<void> {
    const { directory, persistence } = this.sessions;
    const connection = {};
    directory.come(KEEPER.id, connection);
    await persistence.addSubscriptions(KEEPER, [{ topic: 'news', qos: 1 }]);
    directory.leave(KEEPER.id, connection);
    const packet = { topic: 'news', payload: 'x', qos: 1, brokerId: 'broker', brokerCounter: 1 } as const;
    await persistence.outgoingEnqueueCombi(await persistence.subscriptionsByTopic('news'), packet);
  }

  /** Time goes by, as the broker sees it: a sweep each minute. */
  async pass(time: number): Promise<void> {
    for (let passed = 0; passed < time; passed += 60_000) {
      this.clock.advance(60_000);
      await this.sessions.sweep();
    }
  }

  /** The process ends, time passes, the next one starts. */
  async restart(offTime: number, wallClock = this.clock.now() + offTime): Promise<Node> {
    await this.sessions.close(Deadline.after(seconds(1)));
    return new Node(new MemorySessions(this.storage.records), new ManualClock(wallClock)).start();
  }

  get facts(): readonly number[] {
    const { sessions, queuedMessages, droppedMessages, expiredSessions } = this.sessions.statistics;
    return [sessions, queuedMessages, droppedMessages.expired, expiredSessions];
  }
}

void test('a session ends with its subscriptions and messages when its client has been away for long enough', async () => {
  const node = await new Node().start();
  await node.leaveSession();

  await node.pass(EXPIRY - 60_000);
  assert.deepEqual(node.facts, [1, 1, 0, 0]);
  await node.pass(60_000);

  assert.deepEqual(node.facts, [0, 0, 1, 1]);
  assert.equal(node.audience.hears('news'), false);
  await node.sessions.close(Deadline.after(seconds(1)));
  assert.deepEqual(
    [...node.storage.records.keys()].map((key) => key.split('/')[0]),
    ['clock'],
  );
});

void test('a client that comes back in time begins anew', async () => {
  const node = await new Node().start();
  await node.leaveSession();
  await node.pass(EXPIRY - HOUR);

  const connection = {};
  node.sessions.directory.come(KEEPER.id, connection);
  await node.pass(2 * HOUR);
  node.sessions.directory.leave(KEEPER.id, connection);
  await node.pass(EXPIRY - HOUR);

  assert.deepEqual(node.facts, [1, 1, 0, 0]);
  await node.sessions.close(Deadline.after(seconds(1)));
});

for (const how of ['is in', 'is coming in'] as const) {
  void test(`a client that ${how} keeps its session, whoever else the sweep is busy with`, async () => {
    const storage = new SlowSessions();
    const node = await new Node(storage).start();
    const { directory, persistence } = node.sessions;
    for (const id of ['gone', KEEPER.id]) {
      const connection = {};
      directory.come(id, connection);
      await persistence.addSubscriptions({ id, clean: false }, [{ topic: id, qos: 1 }]);
      directory.leave(id, connection);
    }
    node.clock.advance(EXPIRY);
    let finish = (): void => undefined;
    storage.wait = new Promise<void>((resolve) => (finish = resolve));

    const sweeps = [node.sessions.sweep()];
    await new Promise(setImmediate);
    const connection = {};
    assert.ok(directory.admits(KEEPER.id, connection));
    if (how === 'is in') directory.come(KEEPER.id, connection);
    sweeps.push(node.sessions.sweep());
    finish();
    await Promise.all(sweeps);

    assert.deepEqual(node.facts, [1, 0, 0, 1]);
    assert.deepEqual([node.audience.hears('gone'), node.audience.hears(KEEPER.id)], [false, true]);
    await node.sessions.close(Deadline.after(seconds(1)));
  });
}

void test('time away goes on over a restart, and clients have time to come back after it', async () => {
  const before = await new Node().start();
  await before.leaveSession();
  await before.pass(HOUR);

  const after = await before.restart(EXPIRY);
  await after.pass(9 * 60_000);
  assert.deepEqual(after.facts, [1, 1, 0, 0]);
  await after.pass(3 * 60_000);

  assert.deepEqual(after.facts, [0, 0, 1, 1]);
  await after.sessions.close(Deadline.after(seconds(1)));
});

void test('a node that comes up in 1970 takes no session for younger or older than it knows it to be', async () => {
  const before = await new Node().start();
  await before.leaveSession();
  await before.pass(HOUR);

  const after = await before.restart(0, 0);
  await after.pass(HOUR);
  assert.deepEqual(after.facts, [1, 1, 0, 0]);
  await after.pass(EXPIRY);

  assert.deepEqual(after.facts, [0, 0, 1, 1]);
  await after.sessions.close(Deadline.after(seconds(1)));
});

void test('records that cannot be read are set aside by name, and what hangs on them goes; everything else is there', async () => {
  const before = await new Node().start();
  await before.leaveSession();
  await before.sessions.close(Deadline.after(seconds(1)));
  const damaged = new Map(before.storage.records);
  const message = [...damaged.keys()].find((key) => key.startsWith('message/')) ?? '';
  damaged.set(message, '{"topic');
  damaged.set('subscription/other/news', '7');
  damaged.set('will/%E0%A4%A', '{}');

  const after = await new Node(new MemorySessions(damaged)).start();
  await after.sessions.close(Deadline.after(seconds(1)));

  const { sessions, subscriptions, queuedMessages, recordsSetAside } = after.sessions.statistics;
  assert.deepEqual([sessions, subscriptions, queuedMessages, recordsSetAside], [1, 1, 0, 3]);
  assert.deepEqual(
    [...after.storage.records.keys()].sort(),
    [
      `set-aside/${message}`,
      'set-aside/subscription/other/news',
      'set-aside/will/%E0%A4%A',
      'subscription/keeper/news',
    ].sort(),
  );
  const again = await new Node(new MemorySessions(after.storage.records)).start();
  assert.equal(again.sessions.statistics.recordsSetAside, 3);
  await again.sessions.close(Deadline.after(seconds(1)));
});
