import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { fingerprintOf } from '../../../src/kit/fingerprint.ts';
import { ms, seconds } from '../../../src/kit/units.ts';
import { formatVersion } from '../../../src/model/version.ts';
import type { Change, Fact } from '../../../src/model/fact.ts';
import { receiptOf, readLast } from '../../../src/nats/direct-get.ts';
import type { NatsLink } from '../../../src/nats/nats-link.ts';
import { decodeDefinition, decodeIndex, type DesiredIndex } from '../../../src/wire/desired.ts';
import { encodeBatch, encodeFact } from '../../../src/wire/device-events.ts';
import {
  bucketSubject,
  chainSubject,
  messageSubject,
  DESIRED_BUCKET,
  DESIRED_STREAM,
  desiredKey,
  heartbeatSubject,
  indexKey,
} from '../../../src/wire/nats-subjects.ts';
import type { JsonObject } from '../../../src/wire/json.ts';
import { encodeHeartbeat, type Heartbeat } from '../../../src/wire/node-reports.ts';
import type { DeviceDefinition } from '../../../src/model/device.ts';
import { waitUntil } from '../../support/wait-until.ts';
import { HubWorld } from './running-hub.ts';

const COUNTER = { namespace: 'default', name: 'counter' };

interface Credentials {
  readonly node: string;
  readonly nats: { readonly url: string; readonly user: string; readonly password: string };
}

async function edgeLink(world: HubWorld, node = 'edge-a'): Promise<NatsLink> {
  const text = await readFile(join(world.dir, 'hub', 'nodes', `${node}.json`), 'utf8');
  return await world.linkAs((JSON.parse(text) as Credentials).nats);
}

async function indexOf(link: NatsLink, node = 'edge-a'): Promise<DesiredIndex | undefined> {
  const entry = await readLast(link, DESIRED_STREAM, bucketSubject(DESIRED_BUCKET, indexKey(node)));
  return entry === undefined ? undefined : decodeIndex(entry.data);
}

interface HeldDefinition {
  readonly fingerprint: string;
  readonly definition: DeviceDefinition | undefined;
  readonly operation: string | undefined;
}

async function definitionOf(link: NatsLink, node = 'edge-a'): Promise<HeldDefinition | undefined> {
  const key = desiredKey(node, 'device', COUNTER);
  const entry = await readLast(link, DESIRED_STREAM, bucketSubject(DESIRED_BUCKET, key));
  return entry === undefined
    ? undefined
    : {
        fingerprint: fingerprintOf(entry.data),
        definition: decodeDefinition(entry.data),
        operation: entry.operation,
      };
}

const desiredOf = (definition: DeviceDefinition | undefined): string | undefined =>
  definition?.properties.find(({ name }) => name === 'status')?.desired;

async function report(link: NatsLink, uid: string, n: number, changes?: readonly Change[]): Promise<void> {
  const value = String(n * 10);
  const fact: Fact = {
    device: COUNTER,
    uid,
    binding: 1,
    at: Date.parse('2026-05-01T00:00:00Z') + n * 1000,
    changes: changes ?? [{ kind: 'reported', property: 'count', type: 'INT', value, n }],
  };
  // Its time is long past.
  const stamp = { node: 'edge-a', id: `inc.${n}`, term: 1, historical: true };
  const receipt = receiptOf(
    await link.request(chainSubject('edge-a', 'twin', COUNTER), encodeBatch([encodeFact(fact, stamp)])),
  );
  assert.equal(receipt.kind, 'stored');
}

async function countOf(world: HubWorld): Promise<string | undefined> {
  const device = await world.device('counter');
  return device?.status?.twins?.find(({ propertyName }) => propertyName === 'count')?.reported?.value;
}

test('a Device is bound, merged with its model and put where its node reads it', async () => {
  await using world = await HubWorld.open();
  await world.startReadyHub();
  const link = await edgeLink(world);

  await world.createModel();
  await world.createCounter('counter');

  const index = await waitUntil('an index with the device', async () => {
    const found = await indexOf(link);
    return found !== undefined && Object.keys(found.keys).length === 1 ? found : undefined;
  });
  const held = await definitionOf(link);
  assert.equal(index.keys[desiredKey('edge-a', 'device', COUNTER)], held?.fingerprint);
  assert.equal(held?.definition?.binding, 1);
  assert.deepEqual(held.definition.protocolConfig, { start: 5, step: 2 });
  assert.equal(desiredOf(held.definition), '1');
  assert.deepEqual((await world.device('counter'))?.status?.binding, { nodeName: 'edge-a', generation: 1 });
});

test('a changed desired value reaches the bucket and the index', async (t) => {
  await using world = await HubWorld.open();
  await world.startReadyHub();
  const link = await edgeLink(world);
  await world.createModel();
  await world.createCounter('counter');
  await waitUntil('the first definition', async () => (await definitionOf(link))?.definition);
  const arrived = new Promise<number>((resolve) =>
    link.subscribe(bucketSubject(DESIRED_BUCKET, indexKey('edge-a')), () => resolve(performance.now())),
  );

  const begun = performance.now();
  await world.patchDevice('counter', { spec: { properties: [{ name: 'status', desired: { value: '2' } }] } });

  const took = (await arrived) - begun;
  const held = await waitUntil('the new desired value', async () => {
    const found = await definitionOf(link);
    return desiredOf(found?.definition) === '2' ? found : undefined;
  });
  assert.equal((await indexOf(link))?.keys[desiredKey('edge-a', 'device', COUNTER)], held.fingerprint);
  t.diagnostic(`the index came ${took.toFixed(1)} ms after the patch was sent`);
});

test('a Device that moves leaves its old node and gets a higher binding on the new one', async () => {
  await using world = await HubWorld.open();
  const hub = await world.startReadyHub({ localNodes: ['edge-a', 'edge-b'] });
  assert.match(hub.addresses.nats, /^nats:/);
  const [a, b] = [await edgeLink(world, 'edge-a'), await edgeLink(world, 'edge-b')];
  await world.createModel();
  await world.createCounter('counter');
  await waitUntil('the definition on the first node', async () => (await definitionOf(a))?.definition);

  await world.patchDevice('counter', { spec: { nodeName: 'edge-b' } });

  const moved = await waitUntil('the definition on the second node', () => definitionOf(b, 'edge-b'));
  assert.equal(moved.definition?.binding, 2);
  await waitUntil('the deletion mark on the first node', async () => (await definitionOf(a))?.operation === 'DEL');
  assert.deepEqual((await indexOf(a))?.keys, {});
});

test('a Device whose model is missing is refused in words and sent as soon as the model is there', async () => {
  await using world = await HubWorld.open();
  await world.startReadyHub();
  const link = await edgeLink(world);

  await world.createCounter('counter');

  const refused = await waitUntil('the refusal', async () => {
    const conditions = (await world.device('counter'))?.status?.conditions;
    return conditions?.find(({ type, status }) => type === 'Accepted' && status === 'False');
  });
  assert.equal(refused.reason, 'DeviceModelMissing');
  assert.match(refused.message, /spec\.deviceModelRef\.name.*counter-model/);
  assert.equal(await definitionOf(link), undefined);
  const events = await waitUntil('the Event', async () => {
    const { body } = await world.client.request({ method: 'GET', path: '/api/v1/namespaces/default/events' });
    const items = body['items'] as { reason: string; type: string }[];
    return items.length > 0 ? items : undefined;
  });
  assert.deepEqual([events[0]?.type, events[0]?.reason], ['Warning', 'DeviceModelMissing']);

  await world.createModel();
  await waitUntil('the definition', async () => (await definitionOf(link))?.definition);
  await waitUntil('the acceptance', async () => {
    const conditions = (await world.device('counter'))?.status?.conditions;
    return conditions?.find(({ type, status }) => type === 'Accepted' && status === 'True');
  });
});

test('a model that disappears takes no device from its node', async () => {
  await using world = await HubWorld.open();
  await world.startReadyHub();
  const link = await edgeLink(world);
  await world.createModel();
  await world.createCounter('counter');
  const before = await waitUntil('the definition', () => definitionOf(link));

  await world.remove('devicemodels', 'counter-model');

  await waitUntil('the refusal', async () => {
    const conditions = (await world.device('counter'))?.status?.conditions;
    return conditions?.find(({ type, status }) => type === 'Accepted' && status === 'False');
  });
  assert.deepEqual(await definitionOf(link), before);
  assert.equal(Object.keys((await indexOf(link))?.keys ?? {}).length, 1);
});

test('devices deleted while no hub ran are removed by the next hub', async () => {
  await using world = await HubWorld.open();
  await world.startReadyHub();
  await world.createModel();
  await world.createCounter('counter');
  const first = await edgeLink(world);
  await waitUntil('the definition', () => definitionOf(first));
  const before = await indexOf(first);
  await world.stopHub();
  await world.remove('devices', 'counter');

  await world.startReadyHub();

  const link = await edgeLink(world);
  const index = await waitUntil('an empty index', async () => {
    const found = await indexOf(link);
    return Object.keys(found?.keys ?? { some: 1 }).length === 0 ? found : undefined;
  });
  assert.equal(index.bucket, before?.bucket);
  assert.ok(index.generation > (before?.generation ?? 0));
});

test('what nodes report becomes Device status: value, version, state, last seen and summary', async () => {
  await using world = await HubWorld.open();
  await world.startReadyHub();
  await world.createModel();
  await world.createCounter('counter');
  const link = await edgeLink(world);
  await waitUntil('the definition', () => definitionOf(link));
  const uid = (await world.device('counter'))?.metadata.uid ?? '';

  await report(link, uid, 1);
  await report(link, uid, 2, [{ kind: 'observed', property: 'status', type: 'INT', value: '1', n: 1 }]);
  await report(link, uid, 3, [{ kind: 'state', state: 'online', n: 1 }]);

  const status = await waitUntil('the status', async () => {
    const found = (await world.device('counter'))?.status;
    return found?.stateVersion === undefined || found.twins?.length !== 2 ? undefined : found;
  });
  assert.equal(status.state, 'online');
  assert.equal(status.summary, 'count=10');
  assert.equal(status.lastOnlineTime, '2026-05-01T00:00:03Z');
  assert.deepEqual(status.twins?.[1]?.reported, {
    value: '10',
    metadata: { timestamp: '1777593601000', type: 'INT', version: formatVersion({ binding: 1, term: 1, n: 1 }) },
  });
  assert.equal(status.twins[0]?.observedDesired?.value, '1');
});

test('a property that a client of the node removed is gone from the Device, and late history does not bring it back', async () => {
  await using world = await HubWorld.open();
  await world.startReadyHub();
  await world.createModel();
  await world.createCounter('counter');
  const link = await edgeLink(world);
  await waitUntil('the definition', () => definitionOf(link));
  const uid = (await world.device('counter'))?.metadata.uid ?? '';
  const summary = async (): Promise<string | undefined> => (await world.device('counter'))?.status?.summary;

  await report(link, uid, 1);
  await waitUntil('the value', async () => (await summary()) === 'count=10');
  await report(link, uid, 3, [{ kind: 'removed', property: 'count', n: 3 }]);
  await waitUntil('the value to be gone', async () => (await summary()) === '');
  await report(link, uid, 2);
  await report(link, uid, 4, [{ kind: 'state', state: 'unhealthy', n: 1 }]);
  await waitUntil('what was said last', async () => (await world.device('counter'))?.status?.state === 'unhealthy');
  const version = formatVersion({ binding: 1, term: 1, n: 3 });
  assert.deepEqual((await world.device('counter'))?.status?.twins, [
    { propertyName: 'count', removedVersion: version },
  ]);

  await report(link, uid, 5);
  await waitUntil('the value that came back', async () => (await summary()) === 'count=50');
});

test('reports stored while no hub ran are projected by the next one, and an old version never overwrites', async () => {
  await using world = await HubWorld.open();
  await world.startReadyHub();
  await world.createModel();
  await world.createCounter('counter');
  const first = await edgeLink(world);
  await waitUntil('the definition', () => definitionOf(first));
  const uid = (await world.device('counter'))?.metadata.uid ?? '';
  await report(first, uid, 5);
  await waitUntil('the first value', async () => (await countOf(world)) === '50');
  await world.stopHub();
  await world.startReadyHub();

  const link = await edgeLink(world);
  await report(link, uid, 6);
  await waitUntil('the newest value', async () => (await countOf(world)) === '60');
  await report(link, uid, 4);
  await report(link, 'another-uid', 9);
  await report(link, uid, 7, [{ kind: 'state', state: 'resting', n: 1 }]);

  await waitUntil(
    'what came after the old value',
    async () => (await world.device('counter'))?.status?.state === 'resting',
  );
  assert.equal(await countOf(world), '60');
  assert.equal((await world.device('counter'))?.status?.twins?.[0]?.reported?.metadata?.['version'], '1.1.6');
});

test('dropped history is a Warning on the Device, once, however often its marker is heard', async () => {
  await using world = await HubWorld.open();
  await world.startReadyHub();
  await world.createModel();
  await world.createCounter('counter');
  const link = await edgeLink(world);
  await waitUntil('the definition', () => definitionOf(link));
  const uid = (await world.device('counter'))?.metadata.uid ?? '';
  const span = { from: 1, through: 7, since: Date.UTC(2026, 4, 1), until: Date.UTC(2026, 4, 2) };
  const gap = { kind: 'gap', reason: 'bytes', changes: 7, ...span } as const;
  const compacted = { kind: 'gap', reason: 'compacted', changes: 2, ...span } as const;

  await report(link, uid, 7, [gap, compacted]);
  await report(link, uid, 7, [gap, compacted]);
  await report(link, uid, 8);

  await waitUntil('what came behind the marker', async () => (await countOf(world)) === '80');
  // Reports that come together share a status write; their Events follow it.
  const dropped = await waitUntil('the Event', async () => {
    const { body } = await world.client.request({ method: 'GET', path: '/api/v1/namespaces/default/events' });
    const found = (body['items'] as JsonObject[]).filter(({ reason }) => reason === 'HistoryDropped');
    return found.length > 0 && found;
  });
  const [event] = dropped;
  assert.ok(event !== undefined && dropped.length === 1);
  assert.equal(event['type'], 'Warning');
  assert.equal(event['count'], 1);
  assert.match(String(event['message']), /^7 changes of class twin, received 2026-05-01.* node edge-a was full/);
});

test('refused publications are a Warning on the Device, once for each time that they are told', async () => {
  await using world = await HubWorld.open();
  await world.startReadyHub();
  await world.createModel();
  await world.createCounter('counter');
  const link = await edgeLink(world);
  await waitUntil('the definition', () => definitionOf(link));
  const uid = (await world.device('counter'))?.metadata.uid ?? '';
  const span = { since: Date.UTC(2026, 4, 1), until: Date.UTC(2026, 4, 1, 0, 1) };
  const rejected = { kind: 'rejected', count: 12, reason: '"count" must be an integer', ...span } as const;

  await report(link, uid, 7, [rejected]);
  await report(link, uid, 7, [rejected]);
  await report(link, uid, 8);

  await waitUntil('what came behind them', async () => (await countOf(world)) === '80');
  const told = await waitUntil('the Event', async () => {
    const { body } = await world.client.request({ method: 'GET', path: '/api/v1/namespaces/default/events' });
    const found = (body['items'] as JsonObject[]).filter(({ reason }) => reason === 'PublicationRejected');
    return found.length > 0 && found;
  });
  assert.deepEqual(
    told.map(({ type, count, message }) => [type, count, message]),
    [
      [
        'Warning',
        1,
        'node edge-a: 12 publications were refused, 2026-05-01T00:00:00.000Z to 2026-05-01T00:01:00.000Z: the last one: "count" must be an integer',
      ],
    ],
  );
});

test('messages for programs in the cloud, and gaps among them, hold up nothing and are no poison', async () => {
  await using world = await HubWorld.open();
  const hub = await world.startReadyHub();
  await world.createModel();
  await world.createCounter('counter');
  const link = await edgeLink(world);
  await waitUntil('the definition', () => definitionOf(link));
  const uid = (await world.device('counter'))?.metadata.uid ?? '';
  const stamp = { node: 'edge-a', id: 'inc.1', term: 1, historical: false };
  const message = { kind: 'message', topic: 't', payload: { base64: '/w==' } } as const;
  const gap = { kind: 'gap', reason: 'age', changes: 3, from: 1, through: 3, since: 1, until: 2 } as const;
  const ofDevice = { device: COUNTER, uid, binding: 1, at: 1 };

  for (const changes of [[message], [gap, message]]) {
    await link.request(messageSubject('edge-a'), encodeBatch([encodeFact({ at: 1, changes }, stamp)]));
    const batch = encodeBatch([encodeFact({ ...ofDevice, changes }, stamp)]);
    await link.request(chainSubject('edge-a', 'data', COUNTER), batch);
  }
  await report(link, uid, 1);

  await waitUntil('the report behind them', async () => (await countOf(world)) === '10');
  assert.equal(hub.health().state, 'ok');
  const { poison } = (await (await fetch(`${hub.addresses.http}/status`)).json()) as { poison: { setAside: number } };
  assert.equal(poison.setAside, 0);
  const dropped = await waitUntil('the Event', async () => {
    const { body } = await world.client.request({ method: 'GET', path: '/api/v1/namespaces/default/events' });
    const found = (body['items'] as JsonObject[]).filter(({ reason }) => reason === 'HistoryDropped');
    return found.length > 0 && found;
  });
  assert.match(
    String(dropped[0]?.['message']),
    /^3 changes of class data, .* waited too long in the outbox of node edge-a/,
  );
  assert.equal(dropped.length, 1);
});

test('messages that a node dropped are a Warning on the Node, once, and only by its own word', async () => {
  await using world = await HubWorld.open();
  await world.startReadyHub({ localNodes: ['edge-a', 'edge-b'] });
  await world.createModel();
  await world.createCounter('counter');
  const link = await edgeLink(world);
  await waitUntil('the definition', () => definitionOf(link));
  const uid = (await world.device('counter'))?.metadata.uid ?? '';
  const nodes = ['edge-a', 'edge-b'];
  for (const name of nodes)
    await world.client.request({
      method: 'POST',
      path: '/api/v1/nodes',
      body: { apiVersion: 'v1', kind: 'Node', metadata: { name } },
    });
  const gap = { kind: 'gap', reason: 'bytes', changes: 3, from: 1, through: 3, since: 1, until: 2 } as const;
  const compacted = { ...gap, reason: 'compacted' } as const;

  for (const node of ['edge-a', 'edge-a', 'edge-b']) {
    const stamp = { node, id: 'inc.1', term: 1, historical: false };
    const fact = encodeFact({ at: 1, changes: [gap, compacted] }, stamp);
    await link.request(messageSubject('edge-a'), encodeBatch([fact]));
  }
  await report(link, uid, 1);

  await waitUntil('the report behind them', async () => (await countOf(world)) === '10');
  const dropped = await waitUntil('the Event', async () => {
    const { body } = await world.client.request({ method: 'GET', path: '/api/v1/namespaces/default/events' });
    const found = (body['items'] as JsonObject[]).filter(({ reason }) => reason === 'HistoryDropped');
    return found.length > 0 && found;
  });
  assert.deepEqual(
    dropped.map(({ count, involvedObject }) => [
      count,
      (involvedObject as JsonObject)['kind'],
      (involvedObject as JsonObject)['name'],
    ]),
    [[1, 'Node', 'edge-a']],
  );
  assert.match(String(dropped[0]?.['message']), /^3 changes of class message, .*outbox of node edge-a was full/);
});

test('a report on a foreign subject, or of a binding that the hub never made, changes nothing', async () => {
  await using world = await HubWorld.open();
  await world.startReadyHub({ localNodes: ['edge-a', 'edge-b'] });
  await world.createModel();
  await world.createCounter('counter');
  const [a, b] = [await edgeLink(world, 'edge-a'), await edgeLink(world, 'edge-b')];
  await waitUntil('the definition', () => definitionOf(a));
  const uid = (await world.device('counter'))?.metadata.uid ?? '';
  const forge = async (link: NatsLink, { subjectOf, saysFrom, binding }: Forgery): Promise<void> => {
    const change = { kind: 'reported', property: 'count', type: 'INT', value: '666', n: 99 } as const;
    const fact: Fact = { device: COUNTER, uid, binding, at: Date.now(), changes: [change] };
    const stamp = { node: saysFrom, id: 'inc.9', term: 9, historical: false };
    await link.request(chainSubject(subjectOf, 'twin', COUNTER), encodeBatch([encodeFact(fact, stamp)]));
  };

  await forge(b, { subjectOf: 'edge-b', saysFrom: 'edge-b', binding: 1 });
  await forge(b, { subjectOf: 'edge-b', saysFrom: 'edge-a', binding: 1 });
  await forge(a, { subjectOf: 'edge-a', saysFrom: 'edge-a', binding: 2 });
  await report(a, uid, 1);

  await waitUntil('the honest report', async () => (await countOf(world)) === '10');
  assert.equal((await world.device('counter'))?.status?.twins?.length, 1);
});

interface Forgery {
  readonly subjectOf: string;
  readonly saysFrom: string;
  readonly binding: number;
}

test('many reports of one device become few status writes', async () => {
  await using world = await HubWorld.open();
  await world.startReadyHub();
  await world.createModel();
  await world.createCounter('counter');
  const link = await edgeLink(world);
  await waitUntil('the definition', () => definitionOf(link));
  const found = await world.device('counter');
  const versionOf = async (): Promise<number> =>
    Number(((await world.device('counter'))?.metadata as { resourceVersion?: string } | undefined)?.resourceVersion);
  const before = await versionOf();

  for (let n = 1; n <= 200; n += 1) await report(link, found?.metadata.uid ?? '', n);

  await waitUntil('the last value', async () => (await countOf(world)) === '2000');
  const writes = (await versionOf()) - before;
  assert.ok(writes < 20, `${writes} writes for 200 reports`);
});

test('a heartbeat makes a Node that is Ready, with its lease, and shows how far it lags', async () => {
  await using world = await HubWorld.open();
  await world.startReadyHub();
  const link = await edgeLink(world);
  await world.createModel();
  await world.createCounter('counter');
  await waitUntil('the definition', () => definitionOf(link));

  link.publish(heartbeatSubject('edge-a'), encodeHeartbeat(heartbeatOf(0)));

  const node = await waitUntil('the Node to be Ready', async () => {
    const found = await world.client.request({ method: 'GET', path: '/api/v1/nodes/edge-a' });
    const body = found.body as unknown as NodeBody;
    return body.status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True')
      ? body
      : undefined;
  });
  assert.equal(node.metadata.labels['kubernetes.io/arch'], 'amd64');
  assert.equal(node.metadata.annotations['skerry.io/applied-generation'], '0');
  assert.equal(node.metadata.annotations['skerry.io/desired-generation'], String((await indexOf(link))?.generation));
  const lease = '/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases/edge-a';
  await waitUntil('the lease', async () => (await world.client.request({ method: 'GET', path: lease })).status === 200);
});

test('a silent node becomes Unknown, and Ready again with its next heartbeat', async () => {
  await using world = await HubWorld.open();
  await world.startReadyHub({ nodes: { renewEvery: seconds(10), silentAfter: ms(1500) } });
  const link = await edgeLink(world);
  const ready = async (): Promise<string | undefined> => {
    const found = await world.client.request({ method: 'GET', path: '/api/v1/nodes/edge-a' });
    return (found.body as unknown as NodeBody).status?.conditions?.find(({ type }) => type === 'Ready')?.status;
  };
  link.publish(heartbeatSubject('edge-a'), encodeHeartbeat(heartbeatOf(0)));
  await waitUntil('Ready', async () => (await ready()) === 'True');

  await waitUntil('Unknown', async () => (await ready()) === 'Unknown');

  link.publish(heartbeatSubject('edge-a'), encodeHeartbeat(heartbeatOf(1)));
  await waitUntil('Ready again', async () => (await ready()) === 'True');
});

test('devices of a silent node are unknown until it is heard, and one that went tells so in an Event', async () => {
  await using world = await HubWorld.open();
  await world.startReadyHub({ nodes: { renewEvery: seconds(10), silentAfter: ms(1500) } });
  await world.createModel();
  await world.createCounter('counter');
  const link = await edgeLink(world);
  await waitUntil('the definition', () => definitionOf(link));
  const uid = (await world.device('counter'))?.metadata.uid ?? '';
  const beat = (): boolean => link.publish(heartbeatSubject('edge-a'), encodeHeartbeat(heartbeatOf(0)));
  const status = async () => (await world.device('counter'))?.status;
  beat();
  await report(link, uid, 1, [{ kind: 'state', state: 'online', n: 1 }]);
  await waitUntil('online', async () => (await status())?.state === 'online');

  const covered = await waitUntil('unknown', async () => {
    const found = await status();
    return found?.state === 'unknown' ? found : undefined;
  });
  assert.equal(covered.stateBefore, 'online');
  assert.ok(covered.lastOnlineTime !== undefined, 'it was seen once');

  beat();
  const back = await waitUntil('online again', async () => {
    const found = await status();
    return found?.state === 'online' ? found : undefined;
  });
  assert.equal('stateBefore' in back, false);
  assert.equal(back.stateVersion, covered.stateVersion, 'nobody counted a version for it');

  const eventReasons = async (): Promise<string[]> => {
    const { body } = await world.client.request({ method: 'GET', path: '/api/v1/namespaces/default/events' });
    return (body['items'] as { readonly reason: string }[]).map(({ reason }) => reason);
  };
  assert.equal(
    (await eventReasons()).some((reason) => reason.startsWith('Device')),
    false,
  );
  await report(link, uid, 2, [{ kind: 'state', state: 'offline', n: 2, cause: 'client-gone' }]);
  await waitUntil('the Event', async () => (await eventReasons()).includes('DeviceOffline'));
});

test('a node that waits for an index above the one that is there gets it', async () => {
  await using world = await HubWorld.open();
  await world.startReadyHub();
  const link = await edgeLink(world);
  link.publish(heartbeatSubject('edge-a'), encodeHeartbeat(heartbeatOf(0)));
  await waitUntil('an index', async () => (await indexOf(link))?.generation === 1);

  link.publish(heartbeatSubject('edge-a'), encodeHeartbeat({ ...heartbeatOf(5), indexAbove: 5 }));

  await waitUntil('an index above', async () => ((await indexOf(link))?.generation ?? 0) > 5);
});

interface NodeBody {
  readonly metadata: { readonly labels: Record<string, string>; readonly annotations: Record<string, string> };
  readonly status?: { readonly conditions?: readonly { readonly type: string; readonly status: string }[] };
}

function heartbeatOf(indexGeneration: number): Heartbeat {
  return {
    node: 'edge-a',
    incarnation: 'i1',
    version: '0.1.0',
    os: 'linux',
    architecture: 'x64',
    kernel: '6.1.0',
    hostname: 'gateway',
    cpus: 2,
    memoryBytes: 4 * 1024 ** 3,
    indexGeneration,
    backlog: 0,
  };
}
