// Ingress, twins and outbox over a disk that refuses and a power that fails: what was acknowledged is there, once and in order.
import assert from 'node:assert/strict';
import { setMaxListeners } from 'node:events';
import { syncBuiltinESMExports } from 'node:module';
import { test } from 'node:test';
import fc from 'fast-check';
import { Ingress } from '../../../../src/edge/ingress/ingress.ts';
import { RedeliveryRecords } from '../../../../src/edge/ingress/redelivery.ts';
import { Outbox } from '../../../../src/edge/outbox/outbox.ts';
import { TwinBook } from '../../../../src/edge/twin/twin-book.ts';
import { silentLogger as logger } from '../../../../src/kit/logger.ts';
import type { DeviceDefinition } from '../../../../src/model/device.ts';
import type { Fact } from '../../../../src/model/fact.ts';
import { requestTopic } from '../../../../src/wire/mqtt-topics.ts';
import { chainSubject, messageSubject } from '../../../../src/wire/nats-subjects.ts';
import { FaultyStore, type WriteFate } from '../../../support/faulty-store.ts';
import { ManualClock } from '../../../support/manual-clock.ts';
import { ROOMY } from '../../../support/roomy-outbox.ts';

const DEVICES: readonly DeviceDefinition[] = ['boiler', 'pump'].map((name) => ({
  namespace: 'default',
  name,
  uid: `uid-of-${name}`,
  binding: 1,
  protocol: 'virtual',
  protocolConfig: {},
  properties: [{ name: 'count', type: 'INT', accessMode: 'ReadOnly' }],
}));

/** One life of the node's process. */
class Life {
  readonly twins = new TwinBook();
  readonly outbox: Outbox;
  readonly ingress: Ingress;
  readonly store: FaultyStore;

  constructor(store: FaultyStore, clock: ManualClock) {
    this.store = store;
    const seen = new RedeliveryRecords();
    const { twins } = this;
    const outbox = new Outbox(ROOMY, { store, clock, incarnation: () => 'i', logger });
    this.outbox = outbox;
    this.ingress = new Ingress(
      { node: 'n1', chain: messageSubject('n1'), uploads: ['+/user/#'] },
      {
        ...{ store, twins, seen, outbox, clock, logger },
        definitionOf: ({ name }) => DEVICES.find((device) => device.name === name),
        definitions: () => [],
        chainOf: (chainClass, device) => chainSubject('n1', chainClass, device),
        answers: {
          updated: () => undefined,
          refused: ({ reason }) => assert.fail(reason),
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
    await this.twins.load(this.store);
    await this.outbox.start(new AbortController().signal);
    return this;
  }
}

interface Sent {
  readonly n: number;
  readonly packetId: number;
  readonly hasEventId: boolean;
}

/** A device's MQTT client at QoS 1: what has no PUBACK when its connection ends is sent again, in order, marked as such. */
class Client {
  readonly device: DeviceDefinition;
  readonly acknowledged: number[] = [];
  #pace = 0;
  #unacknowledged: Sent[] = [];
  #last = 0;

  constructor(device: DeviceDefinition) {
    this.device = device;
  }

  async publish(life: Life, count: number, hasEventId: boolean): Promise<void> {
    this.#pace = (this.#pace + 1) % 3;
    await this.resend(life);
    if (this.#unacknowledged.length > 0) return;
    const sent = Array.from({ length: count }, () => {
      this.#last += 1;
      // Few, so that they are used again.
      return { n: this.#last, packetId: 1 + (this.#last % 12), hasEventId };
    });
    this.#unacknowledged = sent;
    await this.#hear(life, sent, false);
  }

  async resend(life: Life): Promise<void> {
    const sent = this.#unacknowledged;
    if (sent.length > 0) await this.#hear(life, sent, true);
  }

  #send(life: Life, sent: readonly Sent[], duplicate: boolean): readonly Promise<string>[] {
    const connection = { isClosed: false };
    return sent.map(async ({ n, packetId, hasEventId }, place) => {
      // Some arrive while an earlier one is being written; none once the connection was closed.
      for (let turn = 0; turn < place * this.#pace; turn += 1) await soon();
      if (connection.isClosed) return 'unavailable';
      const eventId = hasEventId ? `event-${n}` : '';
      const text = JSON.stringify({
        event_id: eventId,
        timestamp: 0,
        twin: { count: { actual: { value: String(n) } } },
      });
      const topic = requestTopic(this.device, 'twin/update');
      const message = { clientId: this.device.name, topic, payload: Buffer.from(text), qos: 1 as const };
      const { kind } = await life.ingress.admit({ ...message, packetId, duplicate });
      connection.isClosed ||= kind === 'unavailable';
      return kind;
    });
  }

  /** Nothing is heard behind the first answer that stays away: the connection ends there, whatever was kept. */
  async #hear(life: Life, sent: readonly Sent[], duplicate: boolean): Promise<void> {
    const answers = this.#send(life, sent, duplicate);
    for (const [place, answer] of answers.entries()) {
      if ((await Promise.race([answer, life.store.powerless])) !== 'admit') break;
      this.acknowledged.push(sent[place]?.n ?? 0);
      this.#unacknowledged = this.#unacknowledged.slice(1);
    }
    await Promise.race([Promise.all(answers), life.store.powerless]);
  }
}

const soon = (): Promise<unknown> => new Promise(setImmediate);

const countOf = ({ changes }: Fact): number => {
  const [change] = changes;
  return change?.kind === 'reported' ? Number(change.value) : assert.fail('not a reported value');
};

/** The site: two devices, one node whose power fails, and the stream, which forgets nothing. */
class Site {
  readonly clock = new ManualClock();
  readonly clients = DEVICES.map((device) => new Client(device));
  readonly stream = new Map<string, { readonly values: number[]; acknowledged: number }>();
  life: Life;

  private constructor(life: Life) {
    this.life = life;
  }

  static async create(): Promise<Site> {
    const site = new Site(new Life(new FaultyStore(), new ManualClock()));
    site.life = await new Life(site.life.store, site.clock).start();
    return site;
  }

  chainOf({ device }: Client): string {
    return chainSubject('n1', 'twin', device);
  }

  async powerCut(): Promise<void> {
    this.life = await new Life(this.life.store.powerCut(), this.clock).start();
    for (const [chain, { acknowledged, values }] of this.stream)
      await this.life.outbox.moveTo(chain, { acknowledged, streamSequence: values.length });
    this.check();
  }

  async handOver(client: Client, most: number): Promise<number> {
    const chain = this.chainOf(client);
    const entries = await this.life.outbox.oldest(chain, most);
    if (entries.length === 0) return 0;
    const held = this.stream.get(chain) ?? { values: [], acknowledged: 0 };
    this.stream.set(chain, held);
    for (const { fact } of entries) held.values.push(countOf(fact));
    held.acknowledged = entries.at(-1)?.sequence ?? held.acknowledged;
    this.life.outbox.acknowledge(chain, { acknowledged: held.acknowledged, streamSequence: held.values.length });
    return entries.length;
  }

  /** The twin is never behind what its device was told. */
  check(): void {
    for (const { device, acknowledged } of this.clients) {
      const value = Number(this.life.twins.read(device)?.properties['count']?.reported?.value ?? 0);
      assert.ok(value >= (acknowledged.at(-1) ?? 0), `the twin says ${value} after ${acknowledged.at(-1) ?? 0}`);
    }
  }

  /** Calm: everything is sent, acknowledged and handed over, and then compared. */
  async settle(): Promise<void> {
    this.life.store.expect();
    if (!this.life.store.hasPower) await this.powerCut();
    for (const client of this.clients) {
      await client.publish(this.life, 1, false);
      while ((await this.handOver(client, 7)) > 0);
      const stored = this.stream.get(this.chainOf(client))?.values ?? [];
      const all = Array.from({ length: Math.max(0, ...client.acknowledged) }, (_, n) => n + 1);
      assert.deepEqual(client.acknowledged, all);
      assert.deepEqual(stored, all, 'the stream has each value once and in order');
      assert.equal(this.life.twins.read(client.device)?.properties['count']?.reported?.value, String(all.length));
    }
  }
}

type Step = (site: Site, tick: (milliseconds: number) => void) => Promise<void>;

/** With what a report of a failure should say. */
const named = (name: string, step: Step): Step => Object.assign(step, { [fc.toStringMethod]: () => name });

const clientOf = (site: Site, place: number): Client => site.clients[place] ?? assert.fail('no such device');
const place = fc.nat({ max: 1 });
const fates = fc.array(fc.constantFrom<WriteFate>('kept', 'refused', 'cut before', 'cut after'), { maxLength: 3 });

const publish = fc
  .tuple(place, fc.integer({ min: 1, max: 5 }), fc.boolean(), fates)
  .map(([device, count, hasEventId, fate]) =>
    named(`publish ${count} of ${device}, event ids: ${hasEventId}, disk: ${fate.join()}`, async (site) => {
      site.life.store.expect(...fate);
      await clientOf(site, device).publish(site.life, count, hasEventId);
    }),
  );
const both = fc.tuple(fc.integer({ min: 1, max: 3 }), fates).map(([count, fate]) =>
  named(`publish ${count} of both, disk: ${fate.join()}`, async (site) => {
    site.life.store.expect(...fate);
    await Promise.all(site.clients.map((client) => client.publish(site.life, count, false)));
  }),
);
const handOver = fc.tuple(place, fc.integer({ min: 1, max: 4 })).map(([device, most]) =>
  named(`hand ${most} of ${device} over`, async (site) => {
    await site.handOver(clientOf(site, device), most);
  }),
);
const sweep = fates.map((fate) =>
  named(`sweep, disk: ${fate.join()}`, async (site, tick) => {
    site.life.store.expect(...fate);
    site.clock.advance(200_000);
    tick(10_000);
    for (let turn = 0; turn < 30; turn += 1) await soon();
  }),
);
const cut = fc.constant(named('cut the power', (site) => site.powerCut()));

void test('whenever the power fails or the disk refuses, what was acknowledged is kept once, in order, and no twin goes back', async (t) => {
  // The outbox sweeps when the test says so; sweeps of nodes that are gone are forgotten with each case.
  const mockTimers = (): void => {
    t.mock.timers.reset();
    t.mock.timers.enable({ apis: ['setTimeout'] });
    syncBuiltinESMExports();
  };
  // A mocked timer keeps its listener on the signal that ends it.
  setMaxListeners(0);
  const step = fc.oneof(
    { weight: 5, arbitrary: publish },
    { weight: 3, arbitrary: both },
    { weight: 3, arbitrary: handOver },
    { weight: 1, arbitrary: sweep },
    { weight: 1, arbitrary: cut },
  );
  const property = fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 14 }), async (steps) => {
    mockTimers();
    const site = await Site.create();
    for (const take of steps) {
      await take(site, (milliseconds) => t.mock.timers.tick(milliseconds));
      if (!site.life.store.hasPower) await site.powerCut();
      site.check();
    }
    await site.settle();
  });

  await fc.assert(property, { numRuns: 400, includeErrorInReport: true });
});
