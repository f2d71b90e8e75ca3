// The page of differences from KubeEdge says which test shows each: so each must be there.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { tableRows } from './docs.ts';

const PAGE = 'docs/reference/kubeedge-differences.md';

test('every test that the page of differences from KubeEdge names is there', () => {
  const sources = readdirSync('tests', { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.test.ts'))
    .map((file) => readFileSync(`tests/${file}`, 'utf8'))
    .join('\n');
  const named = tableRows(PAGE).flatMap(([, , title = '']) => (title === '' ? [] : [title]));

  assert.ok(named.length > 20, 'most rows name a test');
  for (const title of named) assert.ok(sources.includes(`'${title}'`), `no test is called "${title}"`);
});
