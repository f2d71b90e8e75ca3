import assert from 'node:assert/strict';
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
  await waitUntil('all nodes', () => done.size === 1000, 10_000);
  assert.equal(queue.reason, undefined);
});
