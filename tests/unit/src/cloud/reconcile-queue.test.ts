import assert from 'node:assert/strict';
import { EventEmitter, once } from 'node:events';
import { test } from 'node:test';
import { kubeErrors } from '../../../../src/cloud/kubernetes/errors.ts';
import { ReconcileQueue } from '../../../../src/cloud/reconcile-queue.ts';
import { Deadline } from '../../../../src/kit/deadline.ts';
import { silentLogger } from '../../../../src/kit/logger.ts';
import { seconds } from '../../../../src/kit/units.ts';
import { waitUntil } from '../../../support/wait-until.ts';

void test('while its neighbour is away a thousand nodes ask it as seldom as one, and all are done once it is back', async (t) => {
  const queue = new ReconcileQueue({ logger: silentLogger });
  t.after(() => queue.close(Deadline.after(seconds(1))));
  let isAway = true;
  let attempts = 0;
  const done = new Set<string>();
  const reconcile = (node: string) => (): Promise<'done'> => {
    attempts += 1;
    if (isAway) return Promise.reject(kubeErrors.KUBE_UNAVAILABLE({ method: 'PUT', path: node, reason: 'away' }));
    done.add(node);
    return Promise.resolve('done');
  };
  queue.open();

  for (let n = 0; n < 1000; n += 1) queue.add({ node: `edge-${n}`, reconcile: reconcile(`edge-${n}`) });
  await waitUntil('a few attempts', () => attempts > 34);
  assert.ok(attempts < 100, `${attempts} attempts`);
  assert.notEqual(queue.reason, undefined);

  isAway = false;
  await waitUntil('all nodes', () => done.size === 1000);
  assert.equal(queue.reason, undefined);
});

void test('a wait that ends while it is looked at leaves nobody waiting for ever', async (t) => {
  const queue = new ReconcileQueue({ logger: silentLogger });
  t.after(() => queue.close(Deadline.after(seconds(1))));
  const clock = t.mock.method(performance, 'now', () => 0);
  const attempts = new EventEmitter();
  let isAway = true;
  const reconcile = (): Promise<'done'> => {
    attempts.emit('attempt');
    const error = kubeErrors.KUBE_UNAVAILABLE({ method: 'PUT', path: 'edge', reason: 'away' });
    return isAway ? Promise.reject(error) : Promise.resolve('done');
  };
  const first = once(attempts, 'attempt');
  queue.open();
  queue.add({ node: 'edge', reconcile });
  await first;
  await new Promise(setImmediate);
  isAway = false;
  const second = once(attempts, 'attempt');

  // The first look finds that it has to wait, the next that the wait is over.
  let looks = 0;
  clock.mock.mockImplementation(() => (looks++ === 0 ? 0 : 60_000));

  await second;
});
