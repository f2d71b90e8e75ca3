// Two hubs serve one cluster: whoever leads is killed, or stopped for a while, and nothing is lost, doubled or turned back.
import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { CountedPublications, numbersInStream } from '../support/counted-publications.ts';
import { ClusterSite } from '../support/cluster-site.ts';
import { StatusWatch } from '../../src/cli/chaos/status-watch.ts';
import { Deadline } from '../../src/kit/deadline.ts';
import { seconds } from '../../src/kit/units.ts';
import { waitUntil } from '../support/wait-until.ts';

const DEVICES = ['pump-1', 'pump-2', 'pump-3', 'pump-4'];
const PER_SECOND = 200;
/** What a killed leader may cost. */
const TAKEOVER = 15_000;

async function under(
  t: TestContext,
  unkind: (pair: ClusterSite, newest: () => number) => Promise<void>,
): Promise<void> {
  await using pair = await ClusterSite.start();
  await pair.startHub('a');
  await pair.leads('a', 5000);
  await pair.startHub('b');
  for (const device of DEVICES) await pair.createDevice(device);
  const watch = new StatusWatch(pair.kube.kubeconfigFile);
  await watch.start(new AbortController().signal);
  t.after(() => watch.stop(Deadline.after(seconds(2))));
  const publications = new CountedPublications(pair.edge.text('mqtt'), DEVICES);
  t.after(() => publications.close());
  publications.start(PER_SECOND);
  await delay(1000);

  await unkind(pair, () => publications.newest('pump-1'));

  publications.stop();
  await waitUntil('every publication to be acknowledged', () => publications.waiting === 0);
  for (const device of DEVICES) {
    await waitUntil(
      `the Device ${device} to show ${publications.newest(device)}`,
      async () => (await pair.reported(device)) === String(publications.newest(device)),
      10_000,
    );
  }
  publications.assertDelivered(await numbersInStream(pair.nats));
  assert.deepEqual([...watch.watched].sort(), DEVICES);
  assert.deepEqual(watch.setbacks, []);
}

/** Milliseconds until a report made from now on is in Kubernetes. */
async function statusMoves(pair: ClusterSite, newest: () => number): Promise<number> {
  const [begun, from] = [performance.now(), newest()];
  await waitUntil('a newer status', async () => Number(await pair.reported('pump-1')) > from, TAKEOVER);
  return Math.round(performance.now() - begun);
}

test('a leader killed, started again and killed again under load: the other takes over, and nothing is lost', async (t) => {
  await under(t, async (pair, newest) => {
    await pair.hub('a').kill();
    await pair.startHub('a');
    t.diagnostic(`a leader started again leads after ${await pair.leads('a', 5000)} ms`);
    t.diagnostic(`and its first status comes after ${await statusMoves(pair, newest)} ms`);
    assert.equal((await pair.status('b')).leads, false);

    await pair.hub('a').kill();
    const killed = performance.now();
    const took = await pair.leads('b', TAKEOVER);
    await statusMoves(pair, newest);
    const moved = Math.round(performance.now() - killed);
    t.diagnostic(`a killed leader is followed after ${took} ms, and the first status comes after ${moved} ms`);
    assert.ok(took <= TAKEOVER);
    await pair.startHub('a');
    await waitUntil('the killed hub to stand by', async () => (await pair.status('a')).leader !== '');
    assert.equal((await pair.status('a')).leads, false);
  });
});

test('a leader stopped in order is followed at once', async (t) => {
  await under(t, async (pair, newest) => {
    assert.equal(await pair.hub('a').stop(), 0);
    const took = await pair.leads('b', 5000);
    t.diagnostic(`a leader that stops is followed after ${took} ms`);
    await statusMoves(pair, newest);
  });
});

test('a leader that slept through its lease and wakes does no harm, and ends', async (t) => {
  await under(t, async (pair, newest) => {
    await pair.want('pump-1', '100001');
    await waitUntil('the wish at the edge', async () => (await pair.atEdge('pump-1'))?.includes('100001'));
    const sleeper = pair.hub('a');
    process.kill(sleeper.pid, 'SIGSTOP');
    await pair.leads('b', TAKEOVER);
    await pair.want('pump-1', '100002');
    await waitUntil('the newer wish at the edge', async () => (await pair.atEdge('pump-1'))?.includes('100002'));
    await statusMoves(pair, newest);

    process.kill(sleeper.pid, 'SIGCONT');

    assert.equal(await sleeper.exited, 1);
    assert.match(sleeper.log(), /HUB_LEASE_LOST|kube-system\/skerry-hub/);
    await statusMoves(pair, newest);
    assert.match((await pair.atEdge('pump-1')) ?? '', /100002/);
    assert.equal((await pair.status('b')).leads, true);
  });
});
