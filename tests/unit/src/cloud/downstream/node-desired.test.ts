import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Held, Put } from '../../../../../src/cloud/downstream/desired-diff.ts';
import { NodeDesired } from '../../../../../src/cloud/downstream/node-desired.ts';
import { fingerprintOf } from '../../../../../src/kit/fingerprint.ts';
import { silentLogger } from '../../../../../src/kit/logger.ts';
import { type DesiredIndex } from '../../../../../src/wire/desired.ts';

/** The bucket's rules in memory: revisions of one counter, writes only over the revision that is there. */
class MemoryBucket {
  readonly entries = new Map<string, Held>();
  readonly log: string[] = [];
  index: { revision: number; index: DesiredIndex | undefined } = { revision: 0, index: undefined };
  #revision = 0;

  read(key: string): Promise<Held | undefined> {
    return Promise.resolve(this.entries.get(key));
  }

  readIndex(): Promise<{ revision: number; index: DesiredIndex | undefined }> {
    return Promise.resolve(this.index);
  }

  put({ key, bytes, over }: Put): Promise<number | 'conflict'> {
    if ((this.entries.get(key)?.revision ?? 0) !== over) return Promise.resolve('conflict');
    this.log.push(`put ${key}`);
    return Promise.resolve(this.#store(key, bytes));
  }

  putIndex(_node: string, index: DesiredIndex, over: number): Promise<number | 'conflict'> {
    if (this.index.revision !== over) return Promise.resolve('conflict');
    this.log.push('index');
    this.index = { revision: (this.#revision += 1), index };
    return Promise.resolve(this.#revision);
  }

  remove(key: string, over: number): Promise<number | 'conflict'> {
    if ((this.entries.get(key)?.revision ?? 0) !== over) return Promise.resolve('conflict');
    this.log.push(`remove ${key}`);
    return Promise.resolve(this.#store(key, undefined));
  }

  #store(key: string, bytes: Uint8Array | undefined): number {
    this.#revision += 1;
    this.entries.set(key, { revision: this.#revision, bytes });
    return this.#revision;
  }
}

function nodeOver(bucket: MemoryBucket): { node: NodeDesired; look: { lists: number; asked: number } } {
  const look = { lists: 1, asked: 0 };
  const node = new NodeDesired('edge-a', {
    bucket,
    logger: silentLogger,
    lists: () => look.lists,
    lookAgain: () => (look.asked += 1),
  });
  node.forget('bucket-1', [...bucket.entries.keys()]);
  return { node, look };
}

const object = (text: string): { kind: 'object'; bytes: Uint8Array } => ({ kind: 'object', bytes: Buffer.from(text) });

test('objects are written before the index that names them, and deleted after the one that does not', async () => {
  const bucket = new MemoryBucket();
  const { node } = nodeOver(bucket);
  node.want('a', object('1'));
  assert.equal(await node.reconcile(), 'done');

  node.want('a', undefined);
  node.want('b', object('2'));
  assert.equal(await node.reconcile(), 'done');

  assert.deepEqual(bucket.log, ['put a', 'index', 'put b', 'index', 'remove a']);
  assert.deepEqual(bucket.index.index?.keys, { b: fingerprintOf(Buffer.from('2')) });
  assert.equal(node.generation, 2);
});

test('nothing is written when the bucket already holds what is wanted', async () => {
  const bucket = new MemoryBucket();
  const first = nodeOver(bucket);
  first.node.want('a', object('1'));
  await first.node.reconcile();
  bucket.log.length = 0;

  const second = nodeOver(bucket);
  second.node.want('a', object('1'));
  assert.equal(await second.node.reconcile(), 'done');

  assert.deepEqual(bucket.log, []);
  assert.equal(second.node.generation, 1);
});

test('after a conflict the bucket is read again and the change made over what is there', async () => {
  const bucket = new MemoryBucket();
  const { node } = nodeOver(bucket);
  node.want('a', object('1'));
  await node.reconcile();
  const other = nodeOver(bucket);
  other.node.want('a', object('of another hub'));
  await other.node.reconcile();

  node.want('a', object('2'));
  assert.equal(await node.reconcile(), 'again');
  assert.equal(await node.reconcile(), 'done');

  assert.equal(Buffer.from(bucket.entries.get('a')?.bytes ?? []).toString(), '2');
  assert.equal(bucket.index.index?.generation, 3);
});

test('a bucket made anew gets every object again and an index that says so', async () => {
  const bucket = new MemoryBucket();
  const { node } = nodeOver(bucket);
  node.want('a', object('1'));
  await node.reconcile();
  bucket.entries.clear();
  bucket.index = { revision: 0, index: undefined };

  node.forget('bucket-2', []);
  assert.equal(await node.reconcile(), 'done');

  assert.equal(bucket.index.index?.bucket, 'bucket-2');
  assert.deepEqual(Object.keys(bucket.index.index.keys), ['a']);
});

test('the removal of most objects waits for a second list that agrees', async () => {
  const bucket = new MemoryBucket();
  const before = nodeOver(bucket).node;
  for (let n = 0; n < 20; n += 1) before.want(`key-${n}`, object(String(n)));
  await before.reconcile();
  const { node, look } = nodeOver(bucket);
  node.want('key-0', object('0'));

  assert.equal(await node.reconcile(), 'held back');
  assert.equal(await node.reconcile(), 'held back');
  assert.equal(look.asked, 1);
  assert.equal(Object.keys(bucket.index.index?.keys ?? {}).length, 20);

  look.lists = 2;
  assert.equal(await node.reconcile(), 'done');
  assert.deepEqual(Object.keys(bucket.index.index?.keys ?? {}), ['key-0']);
});

test('a removal held back is forgotten when the second list brings the objects back', async () => {
  const bucket = new MemoryBucket();
  const before = nodeOver(bucket).node;
  for (let n = 0; n < 20; n += 1) before.want(`key-${n}`, object(String(n)));
  await before.reconcile();
  const { node, look } = nodeOver(bucket);
  await node.reconcile();
  bucket.log.length = 0;

  look.lists = 2;
  for (let n = 0; n < 20; n += 1) node.want(`key-${n}`, object(String(n)));

  assert.equal(await node.reconcile(), 'done');
  assert.deepEqual(bucket.log, []);
});

test('an index that a server fell back to is written again, above every generation that was seen', async () => {
  const bucket = new MemoryBucket();
  const { node } = nodeOver(bucket);
  node.want('a', object('1'));
  await node.reconcile();
  const fallenBackTo = { entries: new Map(bucket.entries), index: bucket.index };
  node.want('b', object('2'));
  await node.reconcile();
  node.want('b', undefined);
  await node.reconcile();
  assert.equal(node.generation, 3);

  bucket.entries.clear();
  for (const [key, entry] of fallenBackTo.entries) bucket.entries.set(key, entry);
  bucket.index = fallenBackTo.index;
  node.forget('bucket-1', ['a']);
  assert.equal(await node.reconcile(), 'done');

  assert.deepEqual(bucket.index.index?.generation, 4);
  assert.deepEqual(Object.keys(bucket.index.index.keys), ['a']);
});

test('a node that waits for an index above the one that is there gets it once, also where nothing else changed', async () => {
  const bucket = new MemoryBucket();
  const first = nodeOver(bucket).node;
  first.want('a', object('1'));
  await first.reconcile();
  const { node } = nodeOver(bucket);
  node.want('a', object('1'));
  await node.reconcile();

  assert.equal(node.mustExceed(7), true);
  assert.equal(await node.reconcile(), 'done');
  assert.equal(node.mustExceed(7), false);
  assert.equal(await node.reconcile(), 'done');

  assert.deepEqual(bucket.log, ['put a', 'index', 'index']);
  assert.ok(node.generation > 7);
});

test('a node that asks again for what should be there has the bucket read and mended', async () => {
  const bucket = new MemoryBucket();
  const { node } = nodeOver(bucket);
  node.want('a', object('1'));
  await node.reconcile();
  const { generation } = node;
  const isThere = (): boolean => (bucket.index.index?.generation ?? 0) > generation;
  bucket.index = { revision: bucket.index.revision, index: undefined };

  assert.equal(node.mustExceed(generation - 1), false);
  assert.equal(await node.reconcile(), 'done');
  assert.equal(isThere(), false);
  assert.equal(node.mustExceed(generation - 1), true);
  assert.equal(await node.reconcile(), 'done');

  assert.equal(isThere(), true);
});

test('a generation that leaves no room for the next is nothing that a node may ask for', async () => {
  const bucket = new MemoryBucket();
  const { node } = nodeOver(bucket);
  await node.reconcile();

  assert.equal(node.mustExceed(Number.MAX_SAFE_INTEGER), false);
  assert.equal(await node.reconcile(), 'done');

  assert.equal(node.generation, 1);
});
