import assert from 'node:assert/strict';
import { test } from 'node:test';
import { kubeErrors } from '../../../../../src/cloud/kubernetes/errors.ts';
import { EventRecorder } from '../../../../../src/cloud/kubernetes/event-recorder.ts';
import { systemClock } from '../../../../../src/kit/clock.ts';
import { WarningLog } from '../../../../support/warning-log.ts';
import { waitUntil } from '../../../../support/wait-until.ts';

const OBJECT = { apiVersion: 'v1', kind: 'Node', metadata: { name: 'edge-a', uid: 'u1', resourceVersion: '1' } };
const OCCURRENCE = { type: 'Warning', reason: 'HistoryDropped', message: 'lost', identity: 'one' } as const;

void test('while Kubernetes takes no Events it is asked seldom, that is said once, and afterwards all are recorded', async () => {
  let isAway = true;
  let requests = 0;
  const request = (): Promise<{ status: number; body: object }> => {
    requests += 1;
    return isAway
      ? Promise.reject(kubeErrors.KUBE_UNAVAILABLE({ method: 'POST', path: 'events', reason: 'away' }))
      : Promise.resolve({ status: 201, body: {} });
  };
  const logger = new WarningLog();
  // The answers' bodies are not looked at here.
  const recorder = new EventRecorder({ client: { request: request as never }, clock: systemClock, logger });

  for (let n = 0; n < 1000; n += 1) assert.equal(await recorder.record(OBJECT, OCCURRENCE), 'unavailable');
  assert.ok(requests < 20, `${requests} requests`);
  assert.equal(logger.warnings.length, 1);

  isAway = false;
  await waitUntil('an Event', async () => (await recorder.record(OBJECT, OCCURRENCE)) === 'recorded');
  const recorded = await Promise.all(Array.from({ length: 50 }, () => recorder.record(OBJECT, OCCURRENCE)));
  assert.deepEqual(new Set(recorded), new Set(['recorded']));
});
