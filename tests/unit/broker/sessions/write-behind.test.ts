import fc from 'fast-check';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { WriteBehind, type Row } from '../../../../broker/sessions/write-behind.ts';
import { Deadline } from '../../../../src/kit/deadline.ts';
import { silentLogger } from '../../../../src/kit/logger.ts';
import { seconds } from '../../../../src/kit/units.ts';
import { MemorySessions } from '../../../support/memory-sessions.ts';

const KEYS = ['a', 'b', 'c'];

class TestRow implements Row {
  readonly key: string;
  text = '';
  isStored = false;
  isGone = false;

  constructor(key: string) {
    this.key = key;
  }

  encode(): string {
    return this.text;
  }
}

const step = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constantFrom('put', 'remove', 'keep', 'drop'), key: fc.constantFrom(...KEYS) }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constantFrom('write', 'turn', 'refuse', 'allow'), key: fc.constant('') }),
  },
);

void test('storage ends up as the last change of each record left it, whatever was refused on the way', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (steps) => {
      const storage = new MemorySessions();
      const writes = new WriteBehind(storage, silentLogger);
      const expected = new Map<string, string>();
      const waiting: Promise<void>[] = [];
      const change = (how: 'keep' | 'drop', row: TestRow | undefined, text: string): void => {
        if (row === undefined) return;
        row.text = text;
        writes[how](row);
        if (how === 'keep') expected.set(row.key, text);
        else expected.delete(row.key);
      };
      const rows = new Map(KEYS.map((key) => [key, new TestRow(`row ${key}`)]));
      for (const [n, one] of steps.entries()) {
        if (one.do === 'put') {
          const value = String(n);
          writes.put(one.key, () => value, !expected.has(one.key));
          expected.set(one.key, value);
        } else if (one.do === 'remove') {
          writes.remove(one.key);
          expected.delete(one.key);
        } else if (one.do === 'keep' || one.do === 'drop') change(one.do, rows.get(one.key), String(n));
        else if (one.do === 'write') waiting.push(writes.written());
        else if (one.do === 'turn') await Promise.resolve();
        else storage.refusal = one.do === 'refuse' ? new Error('no space left') : undefined;
      }
      storage.refusal = undefined;
      await Promise.all(waiting);
      await writes.close(Deadline.after(seconds(10)));

      assert.deepEqual(new Map([...storage.records].sort()), new Map([...expected].sort()));
    }),
    { numRuns: 300 },
  );
});

void test('who waits for what was refused, and then undone, does not wait for ever', async () => {
  const storage = new MemorySessions();
  const writes = new WriteBehind(storage, silentLogger);
  storage.refusal = new Error('no space left');

  writes.put('a', () => '1', true);
  const written = writes.written();
  // Storage has been asked, and has not answered yet.
  await Promise.resolve();
  await Promise.resolve();
  writes.remove('a');
  storage.refusal = undefined;

  await written;
  assert.equal(storage.records.size, 0);
});

void test('what is gone before it was written costs no commit', async () => {
  const storage = new MemorySessions();
  const writes = new WriteBehind(storage, silentLogger);

  writes.put('a', () => assert.fail('encoded for nothing'), true);
  writes.remove('a');
  await writes.close(Deadline.after(seconds(1)));

  assert.equal(storage.history.length, 1);
});

/** As the node's store: a commit is built before the disk says no. */
class BuiltThenRefused extends MemorySessions {
  override async commit(build: Parameters<MemorySessions['commit']>[0]): Promise<void> {
    if (this.refusal !== undefined) build();
    await super.commit(build);
  }
}

void test('what was built and then refused is written, or removed, once storage takes it', async () => {
  const storage = new BuiltThenRefused();
  const writes = new WriteBehind(storage, silentLogger);
  const [stays, goes] = [new TestRow('stays'), new TestRow('goes')];
  writes.keep(goes);
  await writes.written();
  storage.refusal = new Error('no space left');
  writes.drop(goes);
  writes.keep(stays);
  const written = writes.written();
  await new Promise(setImmediate);
  assert.deepEqual([...storage.records.keys()], ['goes']);

  storage.refusal = undefined;
  await written;

  assert.deepEqual([...storage.records.keys()], ['stays']);
});

void test('a row that is gone before it was written costs neither a commit nor its text', async () => {
  const storage = new MemorySessions();
  const writes = new WriteBehind(storage, silentLogger);
  const row = new TestRow('a');
  row.encode = () => assert.fail('encoded for nothing');

  writes.keep(row);
  writes.drop(row);
  await writes.close(Deadline.after(seconds(1)));

  assert.equal(storage.history.length, 1);
});

void test('changes of one turn are one commit', async () => {
  const storage = new MemorySessions(new Map([['journal', '']]));
  const writes = new WriteBehind(storage, silentLogger);

  const written = writes.written();
  writes.put('queue', () => '1', true);
  writes.remove('journal');
  await written;
  await writes.written();

  assert.deepEqual(
    storage.history.map((records) => [...records.keys()]),
    [['journal'], ['queue']],
  );
});
