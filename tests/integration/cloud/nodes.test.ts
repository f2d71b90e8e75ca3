// What the hub makes of nodes: who speaks under a name, and from where the next claim of one counts.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { readLast } from '../../../src/nats/direct-get.ts';
import type { NatsLink } from '../../../src/nats/nats-link.ts';
import { encodeBatch, encodeFact } from '../../../src/wire/device-events.ts';
import {
  bucketSubject,
  chainSubject,
  CLAIM_BUCKET,
  CLAIM_STREAM,
  claimKey,
  heartbeatSubject,
  inboxPrefix,
  UP_STREAM,
} from '../../../src/wire/nats-subjects.ts';
import {
  decodeClaim,
  encodeClaim,
  encodeHeartbeat,
  type Claim,
  type Heartbeat,
  type NodeProblem,
} from '../../../src/wire/node-reports.ts';
import type { NodeIdentity } from '../../../src/wire/node-identity.ts';
import { waitUntil } from '../../support/wait-until.ts';
import { startNats } from '../../support/nats-server.ts';
import { HubWorld } from './running-hub.ts';

const NODE = 'edge-a';
const COUNTER = { namespace: 'default', name: 'counter' };
const CLAIM = bucketSubject(CLAIM_BUCKET, claimKey(NODE));

async function nodeLink(world: HubWorld, node = NODE): Promise<NatsLink> {
  const text = await readFile(join(world.dir, 'hub', 'nodes', `${node}.json`), 'utf8');
  return await world.linkAs((JSON.parse(text) as NodeIdentity).nats, inboxPrefix(node));
}

async function claimOf(link: NatsLink): Promise<Claim | undefined> {
  const found = await readLast(link, CLAIM_STREAM, CLAIM).catch(() => undefined);
  return found === undefined ? undefined : decodeClaim(found.data);
}

interface Condition {
  readonly type: string;
  readonly status: string;
  readonly reason: string;
  readonly message: string;
  readonly lastTransitionTime: string;
}

async function conditionsOf(world: HubWorld): Promise<readonly Condition[]> {
  const { body } = await world.client.request({ method: 'GET', path: `/api/v1/nodes/${NODE}` });
  return (body as { readonly status?: { readonly conditions?: Condition[] } }).status?.conditions ?? [];
}

function heartbeat(incarnation: string, problem?: NodeProblem): Uint8Array {
  const beat: Heartbeat = {
    ...{ node: NODE, incarnation, version: '0.1.0', os: 'linux', architecture: 'x64', kernel: '6.1.0' },
    ...{ hostname: incarnation, cpus: 2, memoryBytes: 4 * 1024 ** 3, indexGeneration: 1, backlog: 0 },
    ...(problem === undefined ? {} : { problem }),
  };
  return encodeHeartbeat(beat);
}

const DIVERGED = { code: 'STORE_DIVERGED', message: 'another store holds the name' };

test('an instance that may not publish is shown on the Node and in an Event, while the one at work stays the Node', async () => {
  await using world = await HubWorld.open();
  await world.startReadyHub();
  const link = await nodeLink(world);
  const say = (payload: Uint8Array): boolean => link.publish(heartbeatSubject(NODE), payload);
  const find = async (type: string, status: string): Promise<Condition | undefined> =>
    (await conditionsOf(world)).find((one) => one.type === type && one.status === status);
  say(heartbeat('holder'));
  const ready = await waitUntil('Ready', () => find('Ready', 'True'));

  say(heartbeat('copy', DIVERGED));

  const problem = await waitUntil('the problem', () => find('UplinkProblem', 'True'));
  assert.deepEqual([problem.reason, problem.message], ['StoreDiverged', DIVERGED.message]);
  await waitUntil('the Event', async () => {
    const { body } = await world.client.request({ method: 'GET', path: '/api/v1/namespaces/default/events' });
    return (body['items'] as { readonly reason: string }[]).some(({ reason }) => reason === 'StoreDiverged');
  });
  const { body } = await world.client.request({ method: 'GET', path: `/api/v1/nodes/${NODE}` });
  assert.match(JSON.stringify(body['status']), /"address":"holder"/);
  assert.equal((await find('Ready', 'True'))?.lastTransitionTime, ready.lastTransitionTime);

  say(heartbeat('copy'));
  await waitUntil('the problem to be over', () => find('UplinkProblem', 'False'));
});

async function restartServer(world: HubWorld, link: NatsLink): Promise<void> {
  process.kill(world.hub?.natsServerPid ?? 0, 'SIGKILL');
  await waitUntil('the link to be lost', () => !link.connected);
  await waitUntil('the link to be back', () => link.connected);
}

test('where claims were lost, a node that may connect finds the highest term that its Devices show', async () => {
  await using world = await HubWorld.open();
  await world.startReadyHub();
  const link = await nodeLink(world);
  assert.equal((await waitUntil('the first floor', () => claimOf(link))).term, 0);
  await world.createModel();
  await world.createCounter('counter');
  const bound = await waitUntil('the binding', async () => {
    const device = await world.device('counter');
    return device?.status?.binding === undefined ? undefined : device;
  });
  await count(link, { node: NODE, uid: bound.metadata.uid, binding: 1, term: 7 }, 1);
  await waitUntil('the status', async () => (await world.device('counter'))?.status?.summary === 'count=1');
  const held = { storeId: 's', incarnation: 'i', term: 3, starts: [] };
  await link.request(CLAIM, encodeClaim(held));

  await restartServer(world, link);
  assert.deepEqual(await waitUntil('the claim', () => claimOf(link)), held, 'what a node has claimed stays');

  const hub = await world.fullLink();
  const jsm = await hub.jetStreamConnection()?.jetstreamManager();
  await jsm?.streams.delete(CLAIM_STREAM);
  await restartServer(world, link);

  const floor = await waitUntil('the next floor', () => claimOf(link));
  assert.deepEqual([floor.storeId, floor.term], ['', 7]);
});

test('with a nats-server of somebody else, a node finds a floor once it is heard', async () => {
  await using nats = await startNats();
  await using world = await HubWorld.open();
  const { url, user, password } = nats;
  await world.startReadyHub({ nats: { kind: 'external', url, user, password }, localNodes: [] });
  const link = await world.linkAs(nats);

  link.publish(heartbeatSubject(NODE), heartbeat('new'));

  assert.equal((await waitUntil('the floor', () => claimOf(link))).term, 0);
});

/** One value of a device bound for the `binding`th time, as its node reports it. */
async function count(
  link: NatsLink,
  origin: { readonly node: string; readonly uid: string; readonly binding: number; readonly term: number },
  n: number,
): Promise<void> {
  const { node, uid, binding, term } = origin;
  const change = { kind: 'reported', property: 'count', type: 'INT', value: String(n), n } as const;
  const fact = { device: COUNTER, uid, binding, at: 1_790_000_000_000 + n, changes: [change] };
  const text = encodeFact(fact, { node, id: `i.${n}`, term, historical: false });
  await link.request(chainSubject(node, 'twin', COUNTER), encodeBatch([text]));
}

test('a Device that moved shows what its new node reports, whatever the old one hands over later', async () => {
  await using world = await HubWorld.open();
  await world.startReadyHub({ localNodes: [NODE, 'edge-b'] });
  const [old, next] = [await nodeLink(world), await nodeLink(world, 'edge-b')];
  await world.createModel();
  await world.createCounter('counter');
  const summary = async (): Promise<string | undefined> => (await world.device('counter'))?.status?.summary;
  const bound = async (generation: number): Promise<string | undefined> => {
    const device = await world.device('counter');
    return device?.status?.binding?.generation === generation ? device.metadata.uid : undefined;
  };
  const uid = await waitUntil('the binding', () => bound(1));
  await count(old, { node: NODE, uid, binding: 1, term: 9 }, 50);
  await waitUntil('the first value', async () => (await summary()) === 'count=50');

  await world.patchDevice('counter', { spec: { nodeName: 'edge-b' } });
  await waitUntil('the next binding', () => bound(2));
  await count(next, { node: 'edge-b', uid, binding: 2, term: 1 }, 1);
  await waitUntil('the value of the new node', async () => (await summary()) === 'count=1');
  for (const n of [51, 52]) await count(old, { node: NODE, uid, binding: 1, term: 9 }, n);

  await count(next, { node: 'edge-b', uid, binding: 2, term: 1 }, 2);
  await waitUntil('the next value of the new node', async () => (await summary()) === 'count=2');
  const hub = await world.fullLink();
  const jsm = await hub.jetStreamConnection()?.jetstreamManager();
  const { state } = (await jsm?.streams.info(UP_STREAM)) ?? {};
  assert.equal(state?.messages, 5, 'history has all of both');
});
