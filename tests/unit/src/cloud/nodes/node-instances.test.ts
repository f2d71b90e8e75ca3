// one name, one or more who speak under it
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { highestTerm } from '../../../../../src/cloud/nodes/claim-floors.ts';
import { NodeInstances } from '../../../../../src/cloud/nodes/node-instances.ts';
import { withProblem } from '../../../../../src/cloud/nodes/node-object.ts';
import type { DeviceResource, DeviceStatus } from '../../../../../src/cloud/kubernetes/resources.ts';
import type { Heartbeat, NodeProblem } from '../../../../../src/wire/node-reports.ts';

const PROBLEM = { code: 'STORE_DIVERGED', message: 'another holds the name' };
const beat = (incarnation: string, problem?: NodeProblem): Heartbeat => ({
  ...{ node: 'edge-a', incarnation, version: '1', os: 'linux', architecture: 'x64', kernel: '6', hostname: 'gw' },
  ...{ cpus: 2, memoryBytes: 1024, indexGeneration: 0, backlog: 0 },
  ...(problem === undefined ? {} : { problem }),
});

test('the one at work is shown, whoever spoke last', () => {
  const instances = new NodeInstances(40);
  instances.hear(beat('holder'), 0);
  instances.hear(beat('copy', PROBLEM), 1);

  assert.equal(instances.speaker(2)?.incarnation, 'holder');
  assert.deepEqual(instances.problem(2), PROBLEM);
});

test('when the one at work falls silent, the one that has a problem is shown', () => {
  const instances = new NodeInstances(40);
  instances.hear(beat('holder'), 0);
  instances.hear(beat('copy', PROBLEM), 30);

  assert.equal(instances.speaker(41)?.incarnation, 'copy');
});

test('a problem ends when its instance says so, or falls silent, and not because another has none', () => {
  const instances = new NodeInstances(40);
  instances.hear(beat('copy', PROBLEM), 0);
  instances.hear(beat('holder'), 1);
  assert.deepEqual(instances.problem(39), PROBLEM);
  assert.equal(instances.problem(40), undefined);

  instances.hear(beat('copy', PROBLEM), 50);
  instances.hear(beat('copy'), 51);
  assert.equal(instances.problem(52), undefined);
});

test('a name under which ever new instances speak is held in bounds', () => {
  const instances = new NodeInstances(40);
  instances.hear(beat('first', PROBLEM), 0);
  for (let n = 0; n < 10; n += 1) instances.hear(beat(`i${n}`), 1);

  assert.equal(instances.problem(2), undefined);
  assert.equal(instances.speaker(2)?.incarnation, 'i9');
});

test('a node that never had a problem has no condition for it; one that had keeps it as over', () => {
  const now = Date.parse('2026-01-01T00:00:00Z');
  assert.deepEqual(withProblem([], undefined, { now }), []);
  const stuck = withProblem([], PROBLEM, { now });
  assert.deepEqual([stuck[0]?.['status'], stuck[0]?.['reason']], ['True', 'StoreDiverged']);

  const over = withProblem(stuck, undefined, { now: now + 60_000 });
  assert.deepEqual([over[0]?.['status'], over[0]?.['lastTransitionTime']], ['False', '2026-01-01T00:01:00Z']);
});

function device(status: DeviceStatus): DeviceResource {
  const metadata = { name: 'd', uid: 'u', resourceVersion: '1' };
  return { apiVersion: 'devices.kubeedge.io/v1beta1', kind: 'Device', metadata, spec: {}, status };
}

test('the floor of a node is the highest term of what its Devices show, in whatever field', () => {
  const value = (version: string) => ({ value: '1', metadata: { version } });
  const on = (nodeName: string) => ({ binding: { nodeName, generation: 1 } });
  const devices = [
    device({ ...on('edge-a'), twins: [{ propertyName: 'p', reported: value('1.3.9') }] }),
    device({ ...on('edge-a'), twins: [{ propertyName: 'p', observedDesired: value('1.5.1') }] }),
    device({ ...on('edge-a'), stateVersion: '2.4.1', twins: [{ propertyName: 'p', reported: value('nonsense') }] }),
    device({ ...on('edge-b'), stateVersion: '1.9.1' }),
    device({ stateVersion: '1.8.1' }),
  ];

  assert.equal(highestTerm('edge-a', devices), 5);
  assert.equal(highestTerm('edge-b', devices), 9);
  assert.equal(highestTerm('edge-c', devices), 0);
});
