// A node that has joined is thrown out: from the Secret that a person writes to the connection that ends and the Node that shows it.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { Authority } from '../../../src/cloud/authority/authority.ts';
import { Joining } from '../../../src/cloud/joining.ts';
import { JoinRecords } from '../../../src/cloud/join/join-records.ts';
import { join as joinName } from '../../../src/cloud/join/registration.ts';
import { systemClock } from '../../../src/kit/clock.ts';
import { silentLogger } from '../../../src/kit/logger.ts';
import type { NatsLink } from '../../../src/nats/nats-link.ts';
import { createKeyPair } from '../../../src/nats/nkeys.ts';
import { heartbeatSubject, inboxPrefix, nodePermissions } from '../../../src/wire/nats-subjects.ts';
import { encodeHeartbeat } from '../../../src/wire/node-reports.ts';
import { waitUntil } from '../../support/wait-until.ts';
import { HubWorld } from './running-hub.ts';

const HEARTBEAT = {
  ...{ incarnation: 'i', version: '0', os: 'linux', architecture: 'x64', kernel: '6', hostname: 'h' },
  ...{ cpus: 1, memoryBytes: 1, indexGeneration: 0, backlog: 0 },
};

/** Connected with a JWT of the hub's authority, as after joining. */
async function joinedLink(world: HubWorld, node: string): Promise<NatsLink> {
  const { publicKey, seed } = createKeyPair('user');
  const { registrations } = new JoinRecords(world);
  await registrations.change(node, (present) => joinName(present, { node, publicKey }, Date.now()));
  const tools = { clock: systemClock, logger: silentLogger };
  const authority = await Authority.open(join(world.dir, 'hub'), tools);
  const jwt = authority.mintUser({ name: node, publicKey, permissions: nodePermissions(node) });
  return await world.linkAs({ url: world.hub?.addresses.nats ?? '', jwt, seed }, inboxPrefix(node));
}

interface Ready {
  readonly status: string;
  readonly message: string;
}

async function ready(world: HubWorld, node: string): Promise<Ready | undefined> {
  const { body } = await world.client.request({ method: 'GET', path: `/api/v1/nodes/${node}` });
  const { status } = body as { readonly status?: { readonly conditions?: readonly (Ready & { type: string })[] } };
  return status?.conditions?.find(({ type }) => type === 'Ready');
}

async function untilReady(world: HubWorld, node: string, link: NatsLink): Promise<void> {
  await waitUntil(`${node} to be Ready`, async () => {
    link.publish(heartbeatSubject(node), encodeHeartbeat({ node, ...HEARTBEAT }));
    return (await ready(world, node))?.status === 'True';
  });
}

void test('a revoked node is cut off and its Node is not Ready, while others go on', async () => {
  await using world = await HubWorld.open();
  await world.startReadyHub();
  const [out, other] = [await joinedLink(world, 'plant-1'), await joinedLink(world, 'plant-2')];
  await untilReady(world, 'plant-1', out);
  await untilReady(world, 'plant-2', other);

  await new Joining(world.client, { clock: systemClock }).revokeNode('plant-1');

  await waitUntil('the node to be cut off', () => !out.connected);
  await waitUntil('the Node not to be Ready', async () => (await ready(world, 'plant-1'))?.status === 'Unknown');
  assert.match((await ready(world, 'plant-1'))?.message ?? '', /revoked/);
  assert.equal(other.connected, true);
  assert.equal((await ready(world, 'plant-2'))?.status, 'True');
});
