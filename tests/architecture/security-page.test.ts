// SECURITY.md says of each control by which test it is shown: that test is there.
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { test } from 'node:test';

void test('every test that the page on security names exists, and every control names one', () => {
  const page = readFileSync('SECURITY.md', 'utf8');
  const controls = page.slice(page.indexOf('## What stops them'), page.indexOf('## Not closed yet'));
  const rows = controls.split('\n').filter((line) => line.startsWith('| ') && !/^\| (-|Control )/.test(line));
  const named = [...page.matchAll(/`(tests\/[^`]+)`/g)].map(([, file = '']) => file);

  assert.ok(rows.length >= 15, 'no table of controls was found');
  for (const row of rows) assert.match(row, /`tests\/[^`]+\.test\.ts`/, row);
  assert.deepEqual(
    named.filter((file) => !existsSync(file)),
    [],
  );
});
