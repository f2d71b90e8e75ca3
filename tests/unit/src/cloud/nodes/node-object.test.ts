import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isNodeName } from '../../../../../src/cloud/admission/node-names.ts';
import { nodeFacts, nodeLabels, withReady } from '../../../../../src/cloud/nodes/node-object.ts';
import type { Heartbeat } from '../../../../../src/wire/node-reports.ts';

const heartbeat: Heartbeat = {
  node: 'edge-a',
  incarnation: 'i1',
  version: '0.1.0',
  os: 'linux',
  architecture: 'x64',
  kernel: '6.1.0',
  hostname: 'gateway',
  cpus: 2,
  memoryBytes: 1024 * 1024,
  indexGeneration: 0,
  backlog: 0,
};
const at = (time: string): { now: number; reason: string } => ({ now: Date.parse(time), reason: 'because' });

test('a node is labelled as KubeEdge labels its nodes, with the architecture in the words of Kubernetes', () => {
  const labels = nodeLabels(heartbeat);

  assert.equal(labels['node-role.kubernetes.io/edge'], '');
  assert.equal(labels['node-role.kubernetes.io/agent'], '');
  assert.equal(labels['kubernetes.io/arch'], 'amd64');
  assert.equal(nodeLabels({ ...heartbeat, architecture: 'riscv64' })['kubernetes.io/arch'], 'riscv64');
  assert.deepEqual(nodeFacts(heartbeat)['capacity'], { cpu: '2', memory: '1024Ki' });
});

test('Ready changes its transition time only with its status, and leaves other conditions alone', () => {
  const pressure = { type: 'MemoryPressure', status: 'False' };
  const first = withReady([pressure], 'heard', at('2026-01-01T00:00:00Z'));
  const second = withReady(first, 'heard', at('2026-01-01T00:01:00Z'));
  const silent = withReady(second, 'silent', at('2026-01-01T00:02:00Z'));

  assert.deepEqual(second[0], pressure);
  assert.equal(second[1]?.['lastTransitionTime'], '2026-01-01T00:00:00Z');
  assert.deepEqual(
    [silent[1]?.['status'], silent[1]?.['lastTransitionTime'], silent[1]?.['lastHeartbeatTime']],
    ['Unknown', '2026-01-01T00:02:00Z', '2026-01-01T00:01:00Z'],
  );
});

test('node names are what Kubernetes takes', () => {
  for (const good of ['edge-a', 'a', 'gw.plant-7.example', '7seas']) assert.equal(isNodeName(good), true, good);
  for (const bad of [
    '',
    'Edge',
    'a_b',
    '-a',
    'a-',
    'a..b',
    '../x',
    'a/b',
    'a b',
    'x'.repeat(64),
    `${'a.'.repeat(127)}a`,
  ])
    assert.equal(isNodeName(bad), false, bad);
});
