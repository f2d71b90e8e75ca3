import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ResourceCache } from '../../../../../src/cloud/kubernetes/resource-cache.ts';
import type { KubeObject } from '../../../../../src/cloud/kubernetes/resources.ts';

const object = (name: string, resourceVersion: string, uid = `uid-${name}`): KubeObject => ({
  apiVersion: 'v1',
  kind: 'Thing',
  metadata: { name, namespace: 'default', uid, resourceVersion },
});

const kinds = (events: readonly { kind: string }[]): string[] => events.map(({ kind }) => kind);

test('a list tells what is there, what has gone since, and that it is complete', () => {
  const cache = new ResourceCache<KubeObject>();
  cache.replaceAll([object('a', '1'), object('b', '2')]);

  const events = cache.replaceAll([object('b', '3'), object('c', '4')]);

  assert.deepEqual(kinds(events), ['gone', 'present', 'present', 'synced']);
  assert.deepEqual([...cache.values()].map(({ metadata }) => metadata.name).sort(), ['b', 'c']);
  assert.equal(cache.lists, 2);
});

test('a state older than the one known is no event: answers to our writes overtake the watch', () => {
  const cache = new ResourceCache<KubeObject>();
  cache.replaceAll([object('a', '9')]);

  assert.deepEqual(kinds(cache.refresh(object('a', '11'))), ['present']);
  assert.deepEqual(cache.put(object('a', '10')), []);
  assert.deepEqual(cache.put(object('a', '11')), []);
  assert.equal(cache.get('default/a')?.metadata.resourceVersion, '11');
});

test('the answer to a write never brings back what the watch saw go', () => {
  const cache = new ResourceCache<KubeObject>();
  cache.replaceAll([object('a', '1')]);
  cache.remove(object('a', '2'));

  assert.deepEqual(cache.refresh(object('a', '3')), []);
  assert.equal(cache.get('default/a'), undefined);
});

test('an object created again under its name replaces its predecessor, whose deletion then counts for nothing', () => {
  const cache = new ResourceCache<KubeObject>();
  cache.replaceAll([object('a', '5', 'first')]);

  assert.deepEqual(kinds(cache.put(object('a', '7', 'second'))), ['present']);
  assert.deepEqual(cache.remove(object('a', '6', 'first')), []);
  assert.equal(cache.get('default/a')?.metadata.uid, 'second');
});

test('versions that are no numbers only differ', () => {
  const cache = new ResourceCache<KubeObject>();
  cache.replaceAll([object('a', 'x')]);

  assert.deepEqual(kinds(cache.put(object('a', 'b'))), ['present']);
  assert.deepEqual(cache.put(object('a', 'b')), []);
});
