import assert from 'node:assert/strict';
import { test } from 'node:test';
import { GroupCommit } from '../../../../../src/edge/store/group-commit.ts';
import { jsonTable } from '../../../../../src/edge/store/store-layout.ts';
import type { Operation } from '../../../../../src/edge/store/transaction.ts';

const NUMBERS = jsonTable<number>('n');

/** A disk whose writes end when the test says so. */
class SlowDisk {
  readonly batches: string[][] = [];
  readonly #ends: ((failure: Error | undefined) => void)[] = [];

  write = (operations: readonly Operation[]): Promise<void> => {
    this.batches.push(operations.map(({ key }) => key));
    return new Promise((resolve, reject) => {
      this.#ends.push((failure) => {
        if (failure === undefined) resolve();
        else reject(failure);
      });
    });
  };

  end(failure?: Error): void {
    this.#ends.shift()?.(failure);
  }
}

const unexpected = (error: unknown): never => {
  throw error;
};

/** Promises settle in these; no timer can fire. */
async function turns(): Promise<void> {
  for (let turn = 0; turn < 20; turn += 1) await Promise.resolve();
}

const settle = (): Promise<void> => new Promise(setImmediate);

void test('an idle commit is written at once, and those that come meanwhile share the next batch', async () => {
  const disk = new SlowDisk();
  const group = new GroupCommit(disk.write, unexpected);
  const put = (key: string): Promise<void> =>
    group.commit((tx) => {
      tx.put(NUMBERS, key, 1);
    });

  const first = put('a');
  await settle();
  assert.deepEqual(disk.batches, [['n!a']]);
  const others = [put('b'), put('c'), put('d')];
  await settle();
  assert.equal(disk.batches.length, 1);
  disk.end();
  await first;
  await settle();

  assert.deepEqual(disk.batches[1], ['n!b', 'n!c', 'n!d']);
  disk.end();
  await Promise.all(others);
  await group.drained();
});

void test('an idle commit waits for no timer, and one that came during a write begins when it ends', async (t) => {
  t.mock.timers.enable();
  const disk = new SlowDisk();
  const group = new GroupCommit(disk.write, unexpected);
  const put = (key: string): Promise<void> => group.commit((tx) => tx.put(NUMBERS, key, 1));
  const first = put('a');
  await turns();
  const second = put('b');
  await turns();

  assert.deepEqual(disk.batches, [['n!a']]);
  disk.end();
  await first;
  await turns();
  assert.deepEqual(disk.batches, [['n!a'], ['n!b']]);
  disk.end();
  await second;
});

void test('an announcement that throws is reported, and every commit of its group and after it goes on', async () => {
  const faults: string[] = [];
  const group = new GroupCommit(
    () => Promise.resolve(),
    (error) => faults.push(String(error)),
  );
  const announced: string[] = [];
  const announcing = (name: string): Promise<string> =>
    group.commit((tx) => {
      tx.put(NUMBERS, name, 1);
      tx.afterCommit(() => {
        if (name === 'b') throw new Error('a bug');
        announced.push(name);
      });
      return name;
    });

  assert.deepEqual(await Promise.all(['a', 'b', 'c'].map(announcing)), ['a', 'b', 'c']);
  assert.equal(await announcing('d'), 'd');
  await group.drained();
  assert.deepEqual(announced, ['a', 'c', 'd']);
  assert.deepEqual(faults, ['Error: a bug']);
});

void test('announcements come after the write, in the order of the calls, before any caller goes on', async () => {
  const disk = new SlowDisk();
  const group = new GroupCommit(disk.write, unexpected);
  const journal: string[] = [];
  const commits = ['a', 'b'].map((name) =>
    group
      .commit((tx) => {
        tx.put(NUMBERS, name, 1);
        tx.afterCommit(() => journal.push(`kept ${name}`));
      })
      .then(() => journal.push(`done ${name}`)),
  );
  await settle();
  assert.deepEqual(journal, []);

  disk.end();
  await Promise.all(commits);

  assert.deepEqual(journal, ['kept a', 'kept b', 'done a', 'done b']);
});

void test('a failed write is undone newest first, announces nothing, and the next commit is written', async () => {
  const disk = new SlowDisk();
  const group = new GroupCommit(disk.write, unexpected);
  const journal: string[] = [];
  const staging = (name: string): Promise<void> =>
    group.commit((tx) => {
      tx.put(NUMBERS, name, 1);
      tx.onFailure(() => journal.push(`undone ${name}`));
      tx.afterCommit(() => journal.push(`kept ${name}`));
    });
  const failing = Promise.allSettled([staging('a'), staging('b')]);
  await settle();

  disk.end(new Error('disk full'));

  assert.deepEqual(
    (await failing).map(({ status }) => status),
    ['rejected', 'rejected'],
  );
  assert.deepEqual(journal, ['undone b', 'undone a']);
  const next = staging('c');
  await settle();
  disk.end();
  await next;
  assert.equal(journal.at(-1), 'kept c');
});

void test('a commit whose builder throws fails alone', async () => {
  const disk = new SlowDisk();
  const group = new GroupCommit(disk.write, unexpected);
  const undone: string[] = [];
  const good = (name: string): Promise<string> =>
    group.commit((tx) => {
      tx.put(NUMBERS, name, 1);
      tx.onFailure(() => undone.push(name));
      return name;
    });
  const bad = (): Promise<never> =>
    group.commit((tx) => {
      tx.put(NUMBERS, 'bad', 1);
      throw new Error('a bug');
    });
  const all = Promise.allSettled([good('a'), bad(), good('b')]);
  await settle();
  disk.end();

  assert.deepEqual(
    (await all).map(({ status }) => status),
    ['fulfilled', 'rejected', 'fulfilled'],
  );
  assert.deepEqual(disk.batches, [['n!a', 'n!b']]);
  assert.deepEqual(undone, ['a']);
});

void test('a commit that stages nothing writes nothing, and sees what was staged before it in its group', async () => {
  const disk = new SlowDisk();
  const group = new GroupCommit(disk.write, unexpected);
  assert.equal(await group.commit(() => 5), 5);
  assert.deepEqual(disk.batches, []);

  const put = group.commit((tx) => {
    tx.put(NUMBERS, 'a', 7);
    tx.put(NUMBERS, 'b', 8);
    tx.remove(NUMBERS, 'b');
  });
  const seen = group.commit((tx) => [tx.staged(NUMBERS, 'a'), tx.staged(NUMBERS, 'b'), tx.staged(NUMBERS, 'c')]);
  await settle();
  disk.end();
  await put;

  assert.deepEqual(await seen, [7, 'removed', undefined]);
});

void test('a flood is written in groups of bounded size, all of it, in order', async () => {
  const sizes: number[] = [];
  const order: string[] = [];
  const group = new GroupCommit((operations) => {
    sizes.push(operations.length);
    order.push(...operations.map(({ key }) => key));
    return Promise.resolve();
  }, unexpected);
  const keys = Array.from({ length: 2500 }, (_, n) => String(n));

  await Promise.all(keys.map((key) => group.commit((tx) => tx.put(NUMBERS, key, 1))));

  assert.deepEqual(sizes, [1000, 1000, 500]);
  assert.deepEqual(
    order,
    keys.map((key) => `n!${key}`),
  );
});
