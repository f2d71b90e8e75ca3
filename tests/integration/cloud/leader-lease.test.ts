// The lease in a real Kubernetes API. Time is the test's own, so that nobody waits ten seconds to see somebody wait ten seconds.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { KubeClient, MERGE_PATCH } from '../../../src/cloud/kubernetes/kube-client.ts';
import { LeaderLease } from '../../../src/cloud/kubernetes/leader-lease.ts';
import { Deadline } from '../../../src/kit/deadline.ts';
import { silentLogger } from '../../../src/kit/logger.ts';
import { seconds } from '../../../src/kit/units.ts';
import type { JsonObject } from '../../../src/wire/json.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { waitUntil } from '../../support/wait-until.ts';
import { HubWorld } from './running-hub.ts';

const NEVER = new AbortController().signal;
const LEASES = '/apis/coordination.k8s.io/v1/namespaces/kube-system/leases';
const PATH = `${LEASES}/skerry-hub`;
const SOON = (): Deadline => Deadline.after(seconds(3));

interface Spec {
  readonly holderIdentity: string;
  readonly leaseTransitions?: number;
  readonly renewTime: string;
}

class LeaseWorld implements AsyncDisposable {
  readonly world: HubWorld;
  readonly clock = new ManualClock();
  readonly #leases: LeaderLease[] = [];
  readonly #clients: KubeClient[] = [];
  readonly #requests = new Map<LeaderLease, number>();

  constructor(world: HubWorld) {
    this.world = world;
  }

  async lease(identity: string): Promise<LeaderLease> {
    const client = KubeClient.fromFile(this.world.kube.kubeconfigFile);
    const lease: LeaderLease = new LeaderLease({
      identity: () => Promise.resolve(identity),
      client: {
        request: (request, signal) => {
          this.#requests.set(lease, (this.#requests.get(lease) ?? 0) + 1);
          return client.request(request, signal);
        },
      },
      clock: this.clock,
      logger: silentLogger,
    });
    this.#clients.push(client);
    this.#leases.push(lease);
    await lease.start(NEVER);
    return lease;
  }

  async spec(): Promise<Spec> {
    return (await this.world.client.request({ method: 'GET', path: PATH })).body['spec'] as Spec;
  }

  /** Time goes on, and that hub has looked, or written, twice since: once may have been under way. */
  async pass(milliseconds: number, onlooker: LeaderLease): Promise<void> {
    this.clock.advance(milliseconds);
    const before = this.#requests.get(onlooker) ?? 0;
    await waitUntil('two more requests', () => (this.#requests.get(onlooker) ?? 0) >= before + 2);
  }

  write(spec: JsonObject): Promise<unknown> {
    const body = { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata: { name: 'skerry-hub' }, spec };
    return this.world.client.request({ method: 'POST', path: LEASES, body });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const lease of this.#leases) await lease.stop(SOON());
    for (const client of this.#clients) client.close();
    await this.world[Symbol.asyncDispose]();
  }
}

const open = async (): Promise<LeaseWorld> => new LeaseWorld(await HubWorld.open());

test('the first hub leads at once, the second stands by, and leads as soon as the first has stopped', async () => {
  await using world = await open();
  const first = await world.lease('one');
  await first.won;
  const second = await world.lease('two');
  await waitUntil('the second to know who leads', () => second.holder === 'one');
  assert.deepEqual([first.leads, second.leads, second.health().state], [true, false, 'ok']);

  await first.stop(SOON());

  await waitUntil('the second to lead', () => second.leads);
  assert.equal((await world.spec()).leaseTransitions, 2);
  assert.equal(await first.ended, undefined);
});

test('a leader that was killed is followed once its lease was seen unchanged for ten seconds, whatever its clock said', async () => {
  for (const renewTime of ['2001-01-01T00:00:00.000000Z', '2100-01-01T00:00:00.000000Z']) {
    await using world = await open();
    await world.write({ holderIdentity: 'killed', leaseDurationSeconds: 10, renewTime });
    const standby = await world.lease('standby');
    await waitUntil('the standby to know who leads', () => standby.holder === 'killed');

    await world.pass(9000, standby);
    assert.equal(standby.leads, false);
    world.clock.advance(1000);

    await waitUntil('the standby to lead', () => standby.leads);
  }
});

test('a leader that renews is never followed', async () => {
  await using world = await open();
  const first = await world.lease('one');
  await first.won;
  const second = await world.lease('two');
  await waitUntil('the second to know who leads', () => second.holder === 'one');

  for (let round = 0; round < 3; round += 1) {
    await world.pass(5000, first);
    await world.pass(0, second);
  }

  assert.deepEqual([first.leads, second.leads], [true, false]);
});

test('a hub that comes back under its name has its own lease at once', async () => {
  await using world = await open();
  await world.write({ holderIdentity: 'one', leaseDurationSeconds: 10, renewTime: '2026-01-01T00:00:00.000000Z' });

  const again = await world.lease('one');

  await waitUntil('it to lead', () => again.leads);
});

test('a leader that cannot renew ends before anybody follows it, and says why', async () => {
  await using world = await open();
  const leader = await world.lease('one');
  await leader.won;
  await world.world.kube.stop(SOON());

  world.clock.advance(7000);

  const failure = await leader.ended;
  assert.equal((failure as { code: string }).code, 'HUB_LEASE_LOST');
  assert.match(String(failure), /kube-system\/skerry-hub could not be renewed/);
  assert.equal(leader.leads, false);
  await world.world.restartKube(() => Promise.resolve());
});

test('a leader whose lease another took ends, naming it', async () => {
  await using world = await open();
  const leader = await world.lease('one');
  await leader.won;

  const body = { spec: { holderIdentity: 'two' } };
  await world.world.client.request({ method: 'PATCH', path: PATH, body, contentType: MERGE_PATCH });

  assert.match(String(await leader.ended), /HUB_LEASE_LOST|is held by two/);
  assert.equal(leader.leads, false);
  assert.equal((await world.spec()).holderIdentity, 'two');
});

test('a lease that somebody deleted is made again by its holder', async () => {
  await using world = await open();
  const leader = await world.lease('one');
  await leader.won;

  await world.world.client.request({ method: 'DELETE', path: PATH });

  await waitUntil('the lease', async () => (await world.spec()).holderIdentity === 'one');
  assert.equal(leader.leads, true);
});
