// The tree that ARCHITECTURE.md draws is the tree that is there.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { foldersIn } from './sources.ts';

const PAGE = 'ARCHITECTURE.md';
const ignored = readFileSync('.gitignore', 'utf8')
  .split('\n')
  .map((line) => line.replace(/\/$/, ''));

/** Path of every folder drawn in the code block of the tree. */
function drawn(): readonly string[] {
  const [, block = ''] = /^```\nskerry\/\n([\s\S]*?)^```/m.exec(readFileSync(PAGE, 'utf8')) ?? [];
  const path: string[] = [];
  return block.split('\n').flatMap((line) => {
    const [, indent = '', name] = /^((?:│ {3}| {4})*)[├└]── ([^/\s]+)\//.exec(line) ?? [];
    if (name === undefined) return [];
    path.splice(indent.length / 4, Infinity, name);
    return [path.join('/')];
  });
}

const there = (folder: string): readonly string[] =>
  foldersIn(folder === '' ? '.' : folder)
    .filter((name) => !ignored.includes(name))
    .map((name) => (folder === '' ? name : `${folder}/${name}`));

for (const folder of ['', 'src', 'src/edge', 'src/cloud']) {
  void test(`the folders in ${folder === '' ? 'the root' : folder} are those that ARCHITECTURE.md draws`, () => {
    const depth = folder === '' ? 1 : folder.split('/').length + 1;
    const expected = drawn().filter(
      (path) => path.split('/').length === depth && (folder === '' || path.startsWith(`${folder}/`)),
    );

    assert.deepEqual([...there(folder)].sort(), [...expected].sort());
  });
}

void test('every line of the tree says what the folder is for', () => {
  const block = /^```\nskerry\/\n([\s\S]*?)^```/m.exec(readFileSync(PAGE, 'utf8'))?.[1] ?? '';
  for (const line of block.split('\n').filter((each) => each.includes('── ')))
    assert.match(line, /\/( {2,}\S.{9,})$/, line);
});

void test('every folder that the table of KubeEdge names points to exists, or is said to come', () => {
  const text = readFileSync(PAGE, 'utf8').split('## For readers who know KubeEdge')[1] ?? '';
  for (const line of text.split('\n').filter((each) => each.startsWith('|') && !each.includes('to come'))) {
    for (const [, folder = ''] of line.matchAll(/`([^`]+)`/g)) {
      const [parent, name] = folder.includes('/')
        ? [folder.slice(0, folder.lastIndexOf('/')), folder.split('/').at(-1)]
        : ['.', folder];
      assert.ok(foldersIn(parent).includes(name ?? ''), `${folder} does not exist`);
    }
  }
});
