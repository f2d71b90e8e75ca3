// The service contract for every part of the edge node and of the road to the hub. NATS is away: that is a state, not a failure.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { EdgeAdmin } from '../../src/edge/admin/edge-admin.ts';
import { Downlink } from '../../src/edge/downlink/downlink.ts';
import { EdgeNode } from '../../src/edge/edge-node.ts';
import { Egress } from '../../src/edge/egress/egress.ts';
import { MapperTopics } from '../../src/edge/egress/mapper-topics.ts';
import { OwedFacts } from '../../src/edge/ingress/owed-facts.ts';
import { DesiredObjects } from '../../src/edge/meta/desired-objects.ts';
import { NodeMemory } from '../../src/edge/node-memory.ts';
import { Outbox } from '../../src/edge/outbox/outbox.ts';
import { EdgeStore } from '../../src/edge/store/edge-store.ts';
import { TwinBook } from '../../src/edge/twin/twin-book.ts';
import { HeartbeatSender } from '../../src/edge/uplink/heartbeat.ts';
import { StateSender } from '../../src/edge/uplink/state-sender.ts';
import { Uplink } from '../../src/edge/uplink/uplink.ts';
import { systemClock } from '../../src/kit/clock.ts';
import { Deadline } from '../../src/kit/deadline.ts';
import { codeOf } from '../../src/kit/errors.ts';
import { silentLogger as logger } from '../../src/kit/logger.ts';
import { HEALTHY, type Service } from '../../src/kit/service.ts';
import { StampClock } from '../../src/kit/stamp-clock.ts';
import { seconds } from '../../src/kit/units.ts';
import { ConsumerLoop } from '../../src/nats/consumer-loop.ts';
import { NatsLink } from '../../src/nats/nats-link.ts';
import { serviceContract, type ServiceUnderTest } from './service.ts';
import { ROOMY } from '../support/roomy-outbox.ts';

const NODE = { node: 'n1' };
/** Nobody listens there. */
const AWAY = { url: 'nats://127.0.0.1:1', user: 'n1', password: 'x' };
const newLink = (): NatsLink =>
  new NatsLink({ credentials: () => AWAY, clientName: 'n1', inboxPrefix: '_INBOX_n1' }, { logger });
const identity = { storeId: 's', incarnation: 'i', starts: [], others: [], term: 0, terms: [], mayTakeOver: false };
const clock = new StampClock(systemClock);
const nothing = (): void => undefined;

function alone(create: () => Service): () => Promise<ServiceUnderTest> {
  return () => Promise.resolve({ create, [Symbol.asyncDispose]: () => Promise.resolve() });
}

interface Neighbours {
  readonly dataDir: string;
  readonly store: EdgeStore;
  readonly outbox: Outbox;
}

/** With an open store. */
function stored(create: (neighbours: Neighbours) => Service): () => Promise<ServiceUnderTest> {
  return async () => {
    const dataDir = await mkdtemp(join(tmpdir(), 'skerry-contract-'));
    const store = new EdgeStore({ dataDir }, { logger });
    await store.start(new AbortController().signal);
    const outbox = new Outbox(ROOMY, { store, clock, incarnation: () => 'i', logger });
    return {
      create: () => create({ dataDir, store, outbox }),
      [Symbol.asyncDispose]: async () => {
        await store.stop(Deadline.after(seconds(5)));
        await rm(dataDir, { recursive: true, force: true });
      },
    };
  };
}

/** With a folder that no store is open in. */
function inFolder(create: (dataDir: string) => Service): () => Promise<ServiceUnderTest> {
  return async () => {
    const dir = await mkdtemp(join(tmpdir(), 'skerry-contract-'));
    return {
      create: () => create(join(dir, 'data')),
      [Symbol.asyncDispose]: () => rm(dir, { recursive: true, force: true }),
    };
  };
}

const egress = new Egress({ node: 'n1' }, { broker: { publish: nothing, hasSubscribers: () => false }, clock });

serviceContract(
  'the store',
  inFolder((dataDir) => new EdgeStore({ dataDir }, { logger })),
);
serviceContract(
  'the memory',
  stored(({ dataDir, store }) => new NodeMemory({ node: 'n1', dataDir }, { store, parts: [new TwinBook()] })),
);
serviceContract(
  'what is owed of sampled properties',
  alone(() => new OwedFacts({ twins: () => [], tell: () => Promise.resolve() })),
);
serviceContract(
  'the outbox',
  stored(({ outbox }) => outbox),
);
serviceContract('the link', alone(newLink));
serviceContract(
  'a consumer',
  alone(
    () =>
      new ConsumerLoop(
        { stream: 'skerry-up', durable: 'hub' },
        {
          ...{ link: newLink(), logger, handle: () => Promise.resolve('done') },
          poison: { setAside: () => Promise.resolve() },
        },
      ),
  ),
);
serviceContract(
  'the uplink',
  stored(
    ({ outbox }) =>
      new Uplink(NODE, {
        ...{ link: newLink(), outbox, clock, logger, onClaimed: nothing, onDiverged: nothing },
        ...{ identity: () => identity, keep: () => Promise.resolve() },
      }),
  ),
);
serviceContract(
  'the state sender',
  alone(() => {
    const presence = { seenAt: () => undefined, isSignDue: () => false, told: nothing };
    const twins = { twins: () => [], definitionOf: () => undefined, backlogOf: () => 0 };
    const tools = { link: newLink(), ...twins, presence, term: () => 0, timeOf: clock.timeOf, logger };
    return new StateSender(NODE, tools);
  }),
);
serviceContract(
  'the heartbeat',
  alone(
    () =>
      new HeartbeatSender(
        { ...NODE, version: 'test' },
        {
          link: newLink(),
          indexGeneration: () => 0,
          indexAbove: () => undefined,
          backlog: () => 0,
          problem: () => undefined,
          incarnation: () => 'i',
        },
      ),
  ),
);
serviceContract(
  'the downlink',
  stored(
    ({ store }) =>
      new Downlink(NODE, {
        ...{ link: newLink(), store, objects: new DesiredObjects(), twins: new TwinBook() },
        ...{ listener: egress, keep: nothing, onReached: nothing, onDoubt: nothing, clock, logger },
      }),
  ),
);
serviceContract(
  'the mapper topics',
  alone(() => new MapperTopics({ egress, definitions: () => [], twinOf: () => undefined })),
);
serviceContract(
  'the admin server',
  alone(
    () =>
      new EdgeAdmin(
        { http: { host: '127.0.0.1', port: 0 } },
        {
          healths: () => ({ store: HEALTHY }),
          status: () => ({ node: 'n1', isLinked: false, backlog: 0, clients: 0, indexGeneration: 0 }),
          metrics: [],
          twins: {
            list: () => [],
            read: () => undefined,
            release: () => Promise.resolve({ kind: 'unknown' }),
            past: {
              at: () => Promise.resolve(undefined),
              entries: () => Promise.resolve(undefined),
              properties: () => undefined,
            },
            setDesired: () => Promise.resolve({ kind: 'unknown' }),
          },
          logger,
        },
      ),
  ),
);
serviceContract(
  'the edge node',
  inFolder((dataDir) => {
    const any = { host: '127.0.0.1', port: 0 };
    const credentials = { ...NODE, nats: AWAY };
    return new EdgeNode(
      {
        dataDir,
        credentials,
        mqtt: any,
        mqttWs: any,
        http: any,
        outbox: ROOMY,
        history: 100,
        uploads: [],
        version: 'test',
      },
      { logger },
    );
  }),
);

void test('an edge node whose MQTT port is taken says so and lets go of everything', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'skerry-contract-'));
  const taken = createServer().listen(0, '127.0.0.1');
  await once(taken, 'listening');
  const any = { host: '127.0.0.1', port: 0 };
  const mqtt = { host: '127.0.0.1', port: (taken.address() as AddressInfo).port };
  const config = {
    dataDir: dir,
    credentials: { ...NODE, nats: AWAY },
    mqttWs: undefined,
    http: any,
    outbox: ROOMY,
    history: 100,
    uploads: [],
    version: 'test',
  };

  const never = new AbortController().signal;
  await assert.rejects(
    new EdgeNode({ ...config, mqtt }, { logger }).start(never),
    (error) => codeOf(error) !== undefined,
  );
  const next = new EdgeNode({ ...config, mqtt: any }, { logger });
  await next.start(never);

  await next.stop(Deadline.after(seconds(5)));
  taken.close();
  await rm(dir, { recursive: true, force: true });
});
