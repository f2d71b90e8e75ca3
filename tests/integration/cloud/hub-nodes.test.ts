// Heartbeats of edge nodes, and what becomes of the Node and of its devices without them.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ms, seconds } from '../../../src/kit/units.ts';
import { heartbeatSubject } from '../../../src/wire/nats-subjects.ts';
import { encodeHeartbeat } from '../../../src/wire/node-reports.ts';
import { waitUntil } from '../../support/wait-until.ts';
import { definitionOf, edgeLink, heartbeatOf, indexOf, report, type NodeBody } from './hub-edge.ts';
import { HubWorld } from './running-hub.ts';

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
