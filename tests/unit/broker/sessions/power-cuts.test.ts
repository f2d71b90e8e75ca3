// The process ends after each commit in turn, and once more after each commit of the start that follows: whatever was acknowledged
// is in the session, once and in order, and what a subscriber was sent at QoS 2 keeps its packet id.
import fc from 'fast-check';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { Audience } from '../../../../broker/audience.ts';
import { DEFAULT_LIMITS } from '../../../../broker/index.ts';
import type { QueuedPacket } from '../../../../broker/sessions/queue-place.ts';
import { createSessions, type Sessions } from '../../../../broker/sessions/sessions.ts';
import { Deadline } from '../../../../src/kit/deadline.ts';
import { silentLogger } from '../../../../src/kit/logger.ts';
import { seconds } from '../../../../src/kit/units.ts';
import { MemorySessions } from '../../../support/memory-sessions.ts';

const KEEPER = { id: 'keeper', clean: false };
const OTHER = { id: 'other', clean: false };
const PUBLISHER = { id: 'publisher', clean: false };
const NEVER = Number.POSITIVE_INFINITY;

interface Published {
  readonly payload: string;
  readonly qos: 1 | 2;
  readonly retain: boolean;
  /** How many commits storage had seen then. */
  acknowledgedAt: number;
  sentAt: number;
  messageId: number;
  clearedAt: number;
}

async function startFrom(storage: MemorySessions): Promise<Sessions> {
  const sessions = createSessions(DEFAULT_LIMITS, { audience: new Audience(), storage, logger: silentLogger });
  await sessions.persistence.setup({ id: `broker-${Math.random()}` });
  return sessions;
}

/** Does with the parts what Aedes does with them. */
class Life {
  readonly storage = new MemorySessions();
  readonly published: Published[] = [];
  readonly #sessions: Sessions;
  readonly #busy: Promise<void>[] = [];
  #counter = 0;
  #messageId = 0;

  private constructor(sessions: Sessions, storage: MemorySessions) {
    this.#sessions = sessions;
    this.storage = storage;
  }

  static async begin(): Promise<Life> {
    const storage = new MemorySessions();
    const sessions = await startFrom(storage);
    await sessions.persistence.addSubscriptions(KEEPER, [
      { topic: 'news/+', qos: 2 },
      { topic: 'news/#', qos: 1 },
    ]);
    await sessions.persistence.addSubscriptions(OTHER, [{ topic: 'news/b', qos: 1 }]);
    return new Life(sessions, storage);
  }

  get #now(): number {
    return this.storage.history.length - 1;
  }

  publish(topic: string, qos: 1 | 2, retain: boolean): void {
    const payload = String(this.published.length);
    const published = { payload, qos, retain, acknowledgedAt: NEVER, sentAt: NEVER, messageId: 0, clearedAt: NEVER };
    this.published.push(published);
    this.#busy.push(this.#route(topic, published));
  }

  async #route(topic: string, published: Published): Promise<void> {
    const { journal, persistence } = this.#sessions;
    const { qos, retain, payload } = published;
    const messageId = this.published.length;
    const packet = { topic, payload: Buffer.from(payload), qos, retain, dup: false, messageId };
    const slip = journal.slip(PUBLISHER, packet)!;
    await journal.keep(slip);
    journal.admit(slip);
    if (qos === 1) published.acknowledgedAt = this.#now;
    if (qos === 1) await turn();
    else await persistence.incomingStorePacket(PUBLISHER, packet);
    const routed = { ...packet, brokerId: 'broker', brokerCounter: (this.#counter += 1) };
    if (retain) await persistence.storeRetained(routed);
    await persistence.outgoingEnqueueCombi(await persistence.subscriptionsByTopic(topic), routed);
    if (qos === 2) published.acknowledgedAt = Math.min(published.acknowledgedAt, this.#now);
  }

  /** The keeper is sent its oldest message that it was not sent yet. */
  async send(): Promise<void> {
    const packet = this.#queue().find(({ messageId }) => messageId === undefined);
    if (packet === undefined) return;
    const messageId = (this.#messageId += 1);
    await this.#sessions.persistence.outgoingUpdate(KEEPER, { ...packet, messageId });
    const published = this.published[Number(packet.payload)]!;
    published.messageId = messageId;
    if (packet.qos === 2) published.sentAt = this.#now;
  }

  /** The keeper acknowledges the oldest message that it was sent. */
  async clear(): Promise<void> {
    const packet = this.#queue().find(({ messageId }) => messageId !== undefined);
    if (packet === undefined) return;
    this.published[Number(packet.payload)]!.clearedAt = this.#now;
    await this.#sessions.persistence.outgoingClearMessageId(KEEPER, packet);
  }

  async settle(): Promise<void> {
    await Promise.all(this.#busy.splice(0));
  }

  async end(): Promise<void> {
    await this.settle();
    await this.#sessions.close(Deadline.after(seconds(5)));
  }

  #queue(): QueuedPacket[] {
    return [...this.#sessions.queues.packets(KEEPER.id)];
  }
}

async function queueAfter(storage: MemorySessions): Promise<QueuedPacket[]> {
  const sessions = await startFrom(storage);
  const packets = [...sessions.queues.packets(KEEPER.id)];
  await sessions.close(Deadline.after(seconds(5)));
  return packets;
}

function check(published: readonly Published[], cutAt: number, queue: readonly QueuedPacket[]): void {
  const found = queue.map(({ payload }) => Number(payload?.toString()));
  // MQTT orders messages of the same QoS.
  for (const qos of [1, 2]) {
    const alike = found.filter((n) => published[n]?.qos === qos);
    assert.deepEqual(
      alike,
      [...new Set(alike)].sort((a, b) => a - b),
      `cut at ${cutAt}: doubled or out of order`,
    );
  }
  for (const [n, { acknowledgedAt, sentAt, messageId, clearedAt }] of published.entries()) {
    const packet = queue[found.indexOf(n)];
    if (acknowledgedAt <= cutAt && clearedAt >= cutAt) assert.ok(packet, `cut at ${cutAt}: ${n} is lost`);
    if (sentAt <= cutAt && packet !== undefined)
      assert.equal(packet.messageId, messageId, `${n} changed its packet id`);
  }
}

const step = fc.oneof(
  fc.record({
    do: fc.constant('publish' as const),
    qos: fc.constantFrom(1 as const, 2 as const),
    retain: fc.boolean(),
  }),
  fc.record({ do: fc.constantFrom('send' as const, 'clear' as const, 'settle' as const) }),
);

void test('whenever the process ends, every acknowledged message is in the session, once', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 14 }), async (steps) => {
      const life = await Life.begin();
      for (const one of steps) {
        if (one.do === 'publish') life.publish('news/a', one.qos, one.retain);
        else await life[one.do]();
      }
      await life.end();
      const subscribedAt = 2;
      for (let cutAt = subscribedAt; cutAt < life.storage.history.length; cutAt += 1) {
        const once = new MemorySessions(life.storage.history[cutAt]);
        check(life.published, cutAt, await queueAfter(once));
        for (const records of once.history) check(life.published, cutAt, await queueAfter(new MemorySessions(records)));
      }
    }),
    { numRuns: 150 },
  );
});

void test('what nobody holds any more leaves nothing in storage', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 14 }), async (steps) => {
      const life = await Life.begin();
      for (const one of steps) {
        if (one.do === 'publish') life.publish('news/a', 1, false);
        else await life[one.do]();
      }
      await life.settle();
      for (let n = 0; n < steps.length; n += 1) await life.send();
      for (let n = 0; n < steps.length; n += 1) await life.clear();
      await life.end();

      const kinds = [...life.storage.records.keys()].map((key) => key.split('/')[0]);
      assert.deepEqual(new Set(kinds), new Set(['subscription']));
    }),
    { numRuns: 50 },
  );
});
