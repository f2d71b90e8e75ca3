import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Json } from '../../../../../src/kube-api/json.ts';
import { podKind } from '../../../../../src/kube-api/kinds/built-in-kinds.ts';
import { humanDuration, ageOf } from '../../../../../src/kube-api/tables/age.ts';
import { parseJsonPath } from '../../../../../src/kube-api/tables/json-path.ts';

const find = (path: string, value: Json): readonly Json[] | undefined => parseJsonPath(path)?.(value);

test('ages are written as kubectl writes them', () => {
  const at = (seconds: number): string => humanDuration(seconds * 1000);

  const ages = [
    0,
    59,
    119,
    120,
    125,
    599,
    600,
    10_799,
    10_800,
    28_799,
    28_800,
    172_800,
    176_400,
    691_200,
    63_072_000,
    31_536_000 * 9,
  ];
  assert.deepEqual(ages.map(at), [
    '0s',
    '59s',
    '119s',
    '2m',
    '2m5s',
    '9m59s',
    '10m',
    '179m',
    '3h',
    '7h59m',
    '8h',
    '2d',
    '2d1h',
    '8d',
    '2y',
    '9y',
  ]);
  assert.equal(ageOf(undefined, 0), '<unknown>');
  assert.equal(humanDuration(-5000), '<invalid>');
});

test('printer columns find members, items, quoted names and conditions', () => {
  const object = {
    status: { 'a.b': 1, list: [{ n: 'x' }, { n: 'y' }], conditions: [{ type: 'Ready', status: 'True' }] },
  };

  assert.deepEqual(find('.status.conditions[?(@.type=="Ready")].status', object), ['True']);
  assert.deepEqual(find(`.status.conditions[?(@.type=='Gone')].status`, object), []);
  assert.deepEqual(find('.status.list[0].n', object), ['x']);
  assert.deepEqual(find('.status.list[*].n', object), ['x', 'y']);
  assert.deepEqual(find(`.status['a.b']`, object), [1]);
  assert.deepEqual(find('.status.a\\.b', object), [1]);
  assert.deepEqual(find('{.status.none.deeper}', object), []);
  assert.equal(parseJsonPath('.a[?(@.b>1)]'), undefined);
});

test('a pod shows the word that explains it best', () => {
  const column = podKind.columns.find(({ name }) => name === 'Status');
  const shown = (status: Json, metadata = {}): Json | undefined =>
    column?.cell(
      { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'p', ...metadata }, spec: { containers: [{}] }, status },
      0,
    );
  const container = (state: Json): Json => ({ phase: 'Running', containerStatuses: [{ state }] });

  assert.equal(shown({ phase: 'Pending' }), 'Pending');
  assert.equal(shown(container({ waiting: { reason: 'CrashLoopBackOff' } })), 'CrashLoopBackOff');
  assert.equal(shown(container({ terminated: { reason: 'Completed' } })), 'Completed');
  assert.equal(shown(container({ terminated: { exitCode: 3 } })), 'ExitCode:3');
  assert.equal(shown(container({ running: {} })), 'Running');
  assert.equal(shown({ phase: 'Pending', initContainerStatuses: [{ state: { running: {} } }] }), 'Init:0/1');
  assert.equal(shown({ phase: 'Running' }, { deletionTimestamp: 'now' }), 'Terminating');
});
