import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  generatedName,
  problemsOfKey,
  problemsOfLabelValue,
  problemsOfName,
} from '../../../../../src/kube-api/rules/names.ts';

test('names are what DNS takes', () => {
  for (const name of ['a', 'a-b', 'a.b', '0x', 'a'.repeat(253)])
    assert.deepEqual(problemsOfName('subdomain', name), []);
  for (const name of ['', 'A', '-a', 'a-', 'a..b', 'a_b', 'a/b', 'a'.repeat(254)])
    assert.equal(problemsOfName('subdomain', name).length, 1, name);
  assert.equal(problemsOfName('label', 'a.b').length, 1);
});

test('label keys may have a prefix, and values may be empty', () => {
  for (const key of ['a', 'example.com/a', 'node-role.kubernetes.io/edge', 'A_b.c'])
    assert.deepEqual(problemsOfKey(key), [], key);
  for (const key of ['', '/a', 'a/', 'Example.com/a', 'a/b/c', '_a']) assert.ok(problemsOfKey(key).length > 0, key);
  assert.deepEqual(problemsOfLabelValue(''), []);
  assert.ok(problemsOfLabelValue('a b').length > 0);
  assert.ok(problemsOfLabelValue('a'.repeat(64)).length > 0);
});

test('a generated name keeps its prefix and stays a name', () => {
  assert.equal(
    generatedName('web-', () => 0),
    'web-bbbbb',
  );
  assert.equal(generatedName('a'.repeat(300)).length, 253);
});
