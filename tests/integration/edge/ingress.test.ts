// The gate over a real store: what is admitted is kept, what could not be kept is not acknowledged.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Admission } from '../../../broker/index.ts';
import type { Refusal, TwinUpdated } from '../../../src/edge/ingress/device-answers.ts';
import { Ingress } from '../../../src/edge/ingress/ingress.ts';
import { RedeliveryRecords } from '../../../src/edge/ingress/redelivery.ts';
import { Outbox } from '../../../src/edge/outbox/outbox.ts';
import { EdgeStore } from '../../../src/edge/store/edge-store.ts';
import { TwinBook } from '../../../src/edge/twin/twin-book.ts';
import { Deadline } from '../../../src/kit/deadline.ts';
import { silentLogger as logger } from '../../../src/kit/logger.ts';
import { seconds } from '../../../src/kit/units.ts';
import { chainSubject, messageSubject } from '../../../src/wire/nats-subjects.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { tempDir } from '../../support/temp-dir.ts';
import { BOILER, NEVER, report, UPDATE, wish } from './edge-world.ts';
import { ROOMY } from '../../support/roomy-outbox.ts';

const STATE_UPDATE = UPDATE.replace('twin/update', 'state/update');
const CHAIN = chainSubject('n1', 'twin', BOILER);
const MESSAGES = messageSubject('n1');

class Gate {
  readonly twins = new TwinBook();
  readonly seen = new RedeliveryRecords();
  readonly updated: TwinUpdated[] = [];
  readonly refused: Refusal[] = [];
  readonly store: EdgeStore;
  readonly outbox: Outbox;
  readonly ingress: Ingress;

  constructor(dataDir: string) {
    const clock = new ManualClock();
    this.store = new EdgeStore({ dataDir }, { logger });
    this.outbox = new Outbox(ROOMY, { store: this.store, clock, incarnation: () => 'i', logger });
    const { store, twins, seen, outbox } = this;
    this.ingress = new Ingress(
      { node: 'n1', chain: messageSubject('n1'), uploads: ['+/user/#'] },
      {
        ...{ store, twins, seen, outbox, clock, logger },
        definitionOf: ({ name }) => (name === BOILER.name ? BOILER : undefined),
        definitions: () => [],
        chainOf: (chainClass, device) => chainSubject('n1', chainClass, device),
        answers: {
          updated: (update) => this.updated.push(update),
          refused: (refusal) => this.refused.push(refusal),
          twinRead: () => undefined,
          desiredChanged: () => undefined,
          stateUpdated: () => undefined,
          membershipRead: () => undefined,
        },
        presence: { heard: () => undefined },
      },
    );
  }

  async start(): Promise<this> {
    await this.store.start(NEVER);
    await this.twins.load(this.store);
    await this.outbox.start(NEVER);
    return this;
  }

  async stop(): Promise<void> {
    await this.outbox.stop(Deadline.after(seconds(2))).catch(() => 'its store is closed');
    await this.store.stop(Deadline.after(seconds(2)));
  }

  admit(text: string, packetId = 1, duplicate = false): Promise<Admission> {
    return this.publish({ text, packetId, duplicate });
  }

  publish({ topic = UPDATE, text = '1', packetId = 1, duplicate = false, clientId = 'c' }): Promise<Admission> {
    return this.ingress.admit({ clientId, topic, payload: Buffer.from(text), qos: 1, packetId, duplicate });
  }

  get count(): string | undefined {
    return this.twins.read(BOILER)?.properties['count']?.reported?.value;
  }
}

void test('many publications at once are kept in the order of their arrival, and answered from what is stored', async () => {
  await using dir = await tempDir();
  const gate = await new Gate(dir.path).start();

  const admissions = await Promise.all(Array.from({ length: 200 }, (_, n) => gate.admit(report('count', n), n + 1)));
  for (const admission of admissions) if (admission.kind === 'admit') admission.afterwards?.();

  assert.deepEqual(
    gate.updated.map(({ after }) => after.properties['count']?.reported?.value),
    Array.from({ length: 200 }, (_, n) => String(n)),
  );
  assert.equal(gate.outbox.waiting(CHAIN), 200);
  await gate.stop();
});

void test('a resend with DUP is admitted again without an effect, also after a restart', async () => {
  await using dir = await tempDir();
  let gate = await new Gate(dir.path).start();
  await gate.admit(report('count', 1), 7);
  await gate.admit(report('count', 2), 8);
  assert.equal((await gate.admit(report('count', 1), 7, true)).kind, 'admit');
  await gate.stop();

  gate = await new Gate(dir.path).start();
  assert.equal((await gate.admit(report('count', 1), 7, true)).kind, 'admit');

  assert.equal(gate.count, '2');
  assert.equal(gate.outbox.waiting(CHAIN), 2);
  await gate.stop();
});

void test('each word about a state counts, also under an event_id that was used before; a resend with DUP does not', async () => {
  await using dir = await tempDir();
  const gate = await new Gate(dir.path).start();
  const say = (state: string, packetId: number, duplicate = false): Promise<Admission> =>
    gate.publish({ topic: STATE_UPDATE, text: JSON.stringify({ event_id: 'same', state }), packetId, duplicate });

  for (const [place, state] of ['online', 'offline', 'online'].entries()) await say(state, place + 1);
  assert.equal(gate.twins.read(BOILER)?.state?.state, 'online');
  await say('offline', 2, true);

  assert.deepEqual([gate.twins.read(BOILER)?.state?.state, gate.twins.read(BOILER)?.state?.n], ['online', 3]);
  await gate.stop();
});

void test('what cannot be stored is unavailable, and the same publication is taken when it comes again', async () => {
  await using dir = await tempDir();
  const gate = await new Gate(dir.path).start();
  await gate.store.stop(Deadline.after(seconds(2)));

  assert.equal((await gate.admit(report('count', 1, 'e1'))).kind, 'unavailable');
  assert.equal(gate.count, undefined);
  await gate.store.start(NEVER);
  const again = await gate.admit(report('count', 1, 'e1'), 1, true);

  assert.equal(again.kind, 'admit');
  assert.equal(gate.count, '1');
  assert.equal(gate.outbox.waiting(CHAIN), 1);
  await gate.stop();
});

void test('an update in the same commit as the removal of its device leaves no twin behind', async () => {
  await using dir = await tempDir();
  const gate = await new Gate(dir.path).start();
  await gate.admit(report('count', 1));

  const removal = gate.store.commit((tx) => {
    gate.twins.remove(tx, BOILER);
  });
  const admission = await gate.admit(report('count', 2), 2);
  await removal;

  assert.equal(admission.kind, 'set-aside');
  assert.deepEqual([...gate.twins.all()], []);
  await gate.stop();
});

void test('desired values set at the node keep the rules for names, types and limits', async () => {
  await using dir = await tempDir();
  const gate = await new Gate(dir.path).start();

  assert.equal((await gate.ingress.wishes.set(BOILER, 'setpoint', '50')).kind, 'done');
  for (const [property, value] of [
    ['setpoint', '96'],
    ['count', '5'],
    ['__proto__', '5'],
    ['constructor', '5'],
    ['a b', '5'],
  ] as const) {
    assert.equal((await gate.ingress.wishes.set(BOILER, property, value)).kind, 'refused', property);
  }
  assert.equal((await gate.ingress.wishes.set({ namespace: 'default', name: 'ghost' }, 'a', 1)).kind, 'unknown');
  assert.deepEqual(Object.keys(gate.twins.read(BOILER)?.properties ?? {}), ['setpoint']);
  await gate.stop();
});

void test('a wish for a property that nobody knows is refused, and names those there are', async () => {
  await using dir = await tempDir();
  const gate = await new Gate(dir.path).start();

  const outcome = await gate.ingress.wishes.set(BOILER, 'setpiont', '50');

  assert.deepEqual(outcome, { kind: 'unknown-property', known: BOILER.properties.map(({ name }) => name) });
  assert.equal(gate.twins.read(BOILER), undefined);
  await gate.stop();
});

void test('somebody who wants what is desired already changes nothing, and confirms nothing for the mapper', async () => {
  await using dir = await tempDir();
  const gate = await new Gate(dir.path).start();
  await gate.ingress.wishes.set(BOILER, 'setpoint', '50');
  const before = gate.twins.read(BOILER);

  const outcome = await gate.ingress.wishes.set(BOILER, 'setpoint', '50');

  assert.equal(outcome.kind, 'done');
  assert.equal(gate.twins.read(BOILER), before);
  assert.equal(gate.outbox.waiting(CHAIN), 1);
  await gate.stop();
});

void test('a topic that is no request is admitted without a look at its payload', async () => {
  await using dir = await tempDir();
  const gate = await new Gate(dir.path).start();
  const payload = Buffer.from(wish('setpoint', 5));
  const base = { clientId: 'c', payload, qos: 1, packetId: 1, duplicate: false } as const;

  for (const topic of [`${UPDATE}/result`, `${UPDATE}/delta`, '$hw/events/device/a/b/c/twin/update']) {
    assert.deepEqual(await gate.ingress.admit({ ...base, topic }), { kind: 'admit' });
  }
  assert.deepEqual([...gate.twins.all()], []);
  await gate.stop();
});

void test('a message for the cloud that is resent with DUP is kept once, also after a restart', async () => {
  await using dir = await tempDir();
  const topic = 'line/user/alarm';
  let gate = await new Gate(dir.path).start();
  for (const packetId of [7, 8]) assert.equal((await gate.publish({ topic, packetId })).kind, 'admit');
  await gate.publish({ topic, packetId: 7, duplicate: true });
  await gate.stop();

  gate = await new Gate(dir.path).start();
  assert.equal((await gate.publish({ topic, packetId: 7, duplicate: true })).kind, 'admit');
  assert.equal(gate.outbox.waiting(MESSAGES), 2);
  // None of these was seen before.
  await gate.publish({ topic, packetId: 9, duplicate: true });
  await gate.publish({ topic, packetId: 8, text: '2', duplicate: true });
  await gate.publish({ topic: 'line/user/other', packetId: 7, duplicate: true });
  await gate.publish({ topic, packetId: 7, duplicate: true, clientId: 'd' });
  await gate.publish({ topic, packetId: 7 });
  assert.equal(gate.outbox.waiting(MESSAGES), 7);
  await gate.stop();
});

void test('data of a device stands in its chain, and that of a device that is not of this node among the messages', async () => {
  await using dir = await tempDir();
  const gate = await new Gate(dir.path).start();

  await gate.publish({ topic: '$ke/events/device/boiler/data/update', packetId: 1 });
  await gate.publish({ topic: '$ke/events/device/ghost/data/update', packetId: 2 });

  assert.equal(gate.outbox.waiting(chainSubject('n1', 'data', BOILER)), 1);
  assert.equal(gate.outbox.waiting(MESSAGES), 1);
  await gate.stop();
});
