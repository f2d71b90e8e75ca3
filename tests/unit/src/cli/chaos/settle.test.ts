import assert from 'node:assert/strict';
import { test } from 'node:test';
import { settle, type Waiting } from '../../../../../src/cli/chaos/settle.ts';
import { ms, seconds } from '../../../../../src/kit/units.ts';

/** Gives what is left, one after the other, and the last for ever. */
function looking(lefts: readonly number[]) {
  let turn = 0;
  return (): Promise<Waiting> => {
    const left = lefts[Math.min(turn, lefts.length - 1)] ?? 0;
    turn += 1;
    return Promise.resolve({ left, text: `${left} left` });
  };
}

const NEVER = new AbortController().signal;

void test('it is over when nothing is left, and what was left before was told', async () => {
  const told: string[] = [];
  const onLook = ({ text }: Waiting): number => told.push(text);

  assert.equal(await settle(looking([3, 5, 1, 0]), { patience: seconds(60), onLook }, NEVER), undefined);
  assert.deepEqual(told, ['3 left', '5 left', '1 left']);
});

void test('what does not get less is waited for as long as patience lasts, and named', async () => {
  const tools = { patience: ms(1), onLook: () => undefined };

  assert.equal(await settle(looking([2, 2]), tools, NEVER), '2 left');
});

void test('as long as it gets less, patience begins anew', async () => {
  const tools = { patience: ms(1), onLook: () => undefined };

  assert.equal(await settle(looking([4, 3, 2, 1, 0]), tools, NEVER), undefined);
});
