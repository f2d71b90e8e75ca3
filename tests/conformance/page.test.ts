import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { BEHAVIOURS } from './behaviours.ts';
import { conformancePage, PAGE } from './page.ts';

const all = Object.values(BEHAVIOURS).flat();

void test('the reference page shows every behaviour and every difference as the tests ask for them', async () => {
  const written = await readFile(PAGE, 'utf8');

  assert.equal(written, await conformancePage(), 'write it again: node dist/tests/conformance/write-page.js');
});

void test('a difference is one, and says why; no behaviour is there twice', () => {
  for (const { title, expected, ours, mosquitto } of all)
    for (const difference of [ours, mosquitto].filter((one) => one !== undefined)) {
      assert.notEqual(difference.seen, expected, title);
      assert.ok(difference.why.length > 20, title);
    }
  assert.equal(new Set(all.map(({ title }) => title)).size, all.length);
});
