// What was dropped or refused on a node is a Warning in Kubernetes, once.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encodeBatch, encodeFact } from '../../../src/wire/device-events.ts';
import type { JsonObject } from '../../../src/wire/json.ts';
import { chainSubject, messageSubject } from '../../../src/wire/nats-subjects.ts';
import { waitUntil } from '../../support/wait-until.ts';
import { COUNTER, countOf, definitionOf, edgeLink, report } from './hub-edge.ts';
import { HubWorld } from './running-hub.ts';

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
