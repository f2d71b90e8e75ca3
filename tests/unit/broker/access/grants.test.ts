import fc from 'fast-check';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { covers, isFilter, Rights } from '../../../../broker/access/grants.ts';
import { matchesFilter } from '../../../../broker/filter-tree.ts';

const name = fc.constantFrom('a', 'b', '', '$x', '$share');
const topic = fc.array(name, { minLength: 1, maxLength: 4 }).map((levels) => levels.join('/'));
const filter = fc
  .tuple(fc.array(fc.oneof(name, fc.constant('+')), { maxLength: 3 }), fc.oneof(name, fc.constantFrom('+', '#')))
  .map(([levels, last]) => [...levels, last].join('/'));

void test('what is let through a covered filter was granted, whatever the wildcards', () => {
  fc.assert(
    fc.property(filter, filter, topic, (granted, asked, heard) => {
      fc.pre(covers(granted, asked) && matchesFilter(asked, heard));
      assert.ok(matchesFilter(granted, heard), `${granted} covers ${asked} and not ${heard}`);
    }),
    { numRuns: 5000 },
  );
});

void test('a filter covers itself, and all filters of its own parts without wildcards', () => {
  fc.assert(fc.property(filter, (one) => covers(one, one)));
  fc.assert(fc.property(filter, topic, (granted, asked) => covers(granted, asked) === matchesFilter(granted, asked)));
});

for (const [granted, asked, isCovered] of [
  ['site/#', 'site', true],
  ['site/#', 'site/+/x', true],
  ['site/+', 'site/#', false],
  ['site/a', 'site/+', false],
  ['site/a', '#', false],
  ['+/a', '#', false],
  ['#', '$SYS/#', false],
  ['#', '$share/group/#', false],
  ['+/x', '$SYS/x', false],
  ['#', '+/+', true],
] as const)
  void test(`${granted} ${isCovered ? 'covers' : 'does not cover'} ${asked}`, () => {
    assert.equal(covers(granted, asked), isCovered);
  });

void test('nobody may do what no grant names', () => {
  fc.assert(fc.property(topic, (any) => !new Rights([]).mayPublish(any) && !new Rights([]).mayHear(any)));
  const reader = new Rights([{ filter: 'a/#', publish: false, subscribe: true }]);
  assert.deepEqual([reader.mayPublish('a/b'), reader.maySubscribe('a/+'), reader.mayHear('a/b')], [false, true, true]);
});

void test('wildcards stand alone on their level, and # stands last', () => {
  for (const text of ['a/+/b', '#', '+', '/', 'a/#', '$hw/+']) assert.equal(isFilter(text), true, text);
  for (const text of ['', 'a+', '#/a', 'a/#/b', 'a#', 'a\0b']) assert.equal(isFilter(text), false, text);
});
