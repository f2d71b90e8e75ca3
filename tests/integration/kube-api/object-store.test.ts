import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KubeObject } from '../../../src/kube-api/json.ts';
import { openDatabase } from '../../../src/kube-api/storage/level-database.ts';
import { ObjectStore, type Decide } from '../../../src/kube-api/storage/object-store.ts';
import { collectionOf } from '../../../src/kube-api/storage/store-keys.ts';
import { temporaryDirectory } from './harness.ts';

const collection = collectionOf('', 'things');
const at = (name: string) => ({ collection, namespace: '', name });
const thing = (name: string, count = 0): KubeObject => ({ apiVersion: 'v1', kind: 'Thing', metadata: { name }, count });
const before = { labels: {}, fields: {} };
const countUp: Decide = (current) =>
  current === undefined
    ? { kind: 'put', object: thing('a') }
    : { kind: 'put', object: { ...current, count: Number(current['count']) + 1 }, before };

async function openStore(directory: string, entries = 100): Promise<ObjectStore> {
  return ObjectStore.open(await openDatabase(directory), { entries, bytes: 1_000_000 });
}

test('many writers of one object never overwrite one another', async () => {
  const store = await openStore(await temporaryDirectory());
  const heard: number[] = [];
  store.subscribe(({ revision }) => heard.push(revision));

  await Promise.all(Array.from({ length: 50 }, () => store.write(at('a'), countUp)));

  assert.equal(store.get(at('a'))?.['count'], 49);
  assert.equal(store.get(at('a'))?.metadata.resourceVersion, '50');
  assert.deepEqual(
    heard,
    Array.from({ length: 50 }, (_, index) => index + 1),
  );
  await store.close();
});

test('a decision that throws changes nothing and uses no revision', async () => {
  const store = await openStore(await temporaryDirectory());

  const refused = store.write(at('a'), () => {
    throw new Error('refused');
  });

  await assert.rejects(refused, /refused/);
  assert.equal(store.revision, 0);
  await store.close();
});

test('the watch log forgets its oldest changes, and says so, also after a restart', async () => {
  const directory = await temporaryDirectory();
  const first = await openStore(directory, 5);
  for (let count = 0; count < 12; count += 1) await first.write(at('a'), countUp);
  await first.close();

  const store = await openStore(directory, 5);

  assert.equal(store.revision, 12);
  assert.equal(store.remembers(7), true);
  assert.equal(store.remembers(6), false);
  const revisions: number[] = [];
  for await (const event of store.changes(collection, 7, 12)) revisions.push(event.revision);
  assert.deepEqual(revisions, [8, 9, 10, 11, 12]);
  await store.close();
});

test('a snapshot shows one moment, whatever is written meanwhile', async () => {
  const store = await openStore(await temporaryDirectory());
  await store.write(at('a'), countUp);
  const snapshot = store.snapshot();
  await store.write(at('a'), countUp);
  await store.write(at('b'), () => ({ kind: 'put', object: thing('b') }));

  const seen: (string | undefined)[] = [];
  for await (const { metadata } of snapshot.scan(collection, {}))
    seen.push(`${metadata.name} ${metadata.resourceVersion ?? ''}`);

  assert.equal(snapshot.revision, 1);
  assert.deepEqual(seen, ['a 1']);
  await snapshot.close();
  await store.close();
});
