import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { codes, tableRows } from './docs.ts';
import { sources } from './sources.ts';

const PAGE = 'docs/reference/errors.md';

interface Declared {
  readonly code: string;
  readonly kind: string;
  readonly file: string;
}

const declared = sources(['src', 'broker', 'mappers', 'simulator'])
  .filter((file) => file !== 'src/kit/errors.ts')
  .flatMap(declaredIn);

function declaredIn(file: string): readonly Declared[] {
  const text = readFileSync(file, 'utf8');
  if (!text.includes('errorTable(')) return [];
  const found = [...text.matchAll(/^\s+([A-Z][A-Z0-9_]*): \{\s*kind: '([a-z]+)'/gm)];
  assert.ok(found.length > 0, `${file} calls errorTable, but no code was recognised in it`);
  return found.map(([, code = '', kind = '']) => ({ code, kind, file }));
}

void test('every error code of the program is explained, and nothing else', () => {
  const explained = tableRows(PAGE).flatMap(([first]) => codes(first));

  assert.deepEqual([...explained].sort(), declared.map(({ code }) => code).sort());
});

void test('no error code is declared twice', () => {
  const seen = new Map<string, string>();
  for (const { code, file } of declared) {
    assert.equal(seen.get(code), undefined, `${code} is declared in ${seen.get(code) ?? ''} and in ${file}`);
    seen.set(code, file);
  }
});

void test('the kind on the page is the kind in the code, with a cause and a remedy', () => {
  const kinds = new Map(declared.map(({ code, kind }) => [code, kind]));
  for (const [first, kind, cause = '', remedy = ''] of tableRows(PAGE)) {
    const [code = ''] = codes(first);
    assert.equal(kind, kinds.get(code), code);
    assert.match(cause, /\.$/, `${code} has no sentence of cause`);
    assert.match(remedy, /\.$/, `${code} has no sentence of remedy`);
  }
});
