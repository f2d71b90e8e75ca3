// What nodes report becomes the status of Devices.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Fact } from '../../../src/model/fact.ts';
import { formatVersion } from '../../../src/model/version.ts';
import type { NatsLink } from '../../../src/nats/nats-link.ts';
import { encodeBatch, encodeFact } from '../../../src/wire/device-events.ts';
import { chainSubject } from '../../../src/wire/nats-subjects.ts';
import { waitUntil } from '../../support/wait-until.ts';
import { COUNTER, countOf, definitionOf, edgeLink, report } from './hub-edge.ts';
import { HubWorld } from './running-hub.ts';

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
