import assert from 'node:assert/strict';
import { test } from 'node:test';
import { tableLines } from '../../../../src/cli/tables.ts';

void test('columns are aligned, and a line ends with its last cell', () => {
  assert.deepEqual(
    tableLines([
      ['A', 'B'],
      ['long', ''],
      ['x', 'y'],
    ]),
    ['A     B', 'long', 'x     y'],
  );
});

void test('what a device reports is one cell of one line, and moves no cursor', () => {
  const lines = tableLines([
    ['PROPERTY', 'REPORTED'],
    ['note', 'a\nb\tc\u001b[2J\u009b1m'],
  ]);

  assert.deepEqual(lines, ['PROPERTY  REPORTED', 'note      a\\nb\\tc\\u001b[2J\\u009b1m']);
});
