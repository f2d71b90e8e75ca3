import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { filterProblem, matcherOf } from '../../../../src/wire/topic-filters.ts';

// MQTT 3.1.1, section 4.7, and its examples.
const MATCHES: readonly (readonly [filter: string, topic: string])[] = [
  ['sport/tennis/player1/#', 'sport/tennis/player1'],
  ['sport/tennis/player1/#', 'sport/tennis/player1/score/wimbledon'],
  ['#', 'a/b'],
  ['+', 'finance'],
  ['+/+', '/finance'],
  ['/+', '/finance'],
  ['sport/+', 'sport/'],
  ['+/tennis/#', 'sport/tennis'],
  ['$hw/#', '$hw'],
  ['$hw/+/x', '$hw/a/x'],
  ['+/user/#', 'ns/user'],
  ['+/user/#', 'ns/user/a/b'],
];
const OTHERS: readonly (readonly [filter: string, topic: string])[] = [
  ['+', '/finance'],
  ['sport/+', 'sport'],
  ['sport/+', 'sport/a/b'],
  ['a/b', 'a/b/c'],
  ['a/b/c', 'a/b'],
  ['#', '$hw/a'],
  ['+/a', '$hw/a'],
  ['+/user/#', 'user/a'],
  ['A', 'a'],
];

void test('filters match as MQTT says', () => {
  for (const [filter, topic] of MATCHES) assert.equal(matcherOf([filter])(topic), true, `${filter} and ${topic}`);
  for (const [filter, topic] of OTHERS) assert.equal(matcherOf([filter])(topic), false, `${filter} and ${topic}`);
  assert.equal(matcherOf([])('a'), false);
  assert.equal(matcherOf(['b', 'a'])('a'), true);
});

void test('a filter made of a topic by putting wildcards in matches it', () => {
  const level = fc.stringMatching(/^[a-z]{0,4}$/);
  fc.assert(
    fc.property(
      fc.array(fc.tuple(level, fc.boolean()), { minLength: 1 }),
      fc.nat(),
      fc.boolean(),
      (levels, cut, isCut) => {
        const topic = levels.map(([text]) => text).join('/');
        const filter = levels.map(([text, isWild]) => (isWild ? '+' : text));
        const end = cut % levels.length;
        const whole = isCut ? [...filter.slice(0, end), '#'].join('/') : filter.join('/');
        if (whole !== '') assert.equal(filterProblem(whole), undefined);
        assert.equal(matcherOf([whole])(topic), true);
      },
    ),
  );
});

void test('a filter that MQTT does not allow is told what is wrong', () => {
  assert.equal(filterProblem(''), 'is empty');
  assert.equal(filterProblem('a/#/b'), 'has "#" before its last level');
  assert.equal(filterProblem('a/b#'), 'has a wildcard inside the level "b#"');
  assert.equal(filterProblem('a+/b'), 'has a wildcard inside the level "a+"');
  assert.equal(filterProblem('a\0'), 'is no MQTT text');
  assert.equal(filterProblem('ä'.repeat(40_000)), 'is no MQTT text');
});
