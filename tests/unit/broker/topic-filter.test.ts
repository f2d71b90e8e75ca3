import fc from 'fast-check';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isFilter, isTopic } from '../../../broker/topic-filter.ts';

const plainLevel = fc.string().filter((level) => !/[+#/]/.test(level));
const levels = fc.array(fc.oneof(plainLevel, fc.constant('+')), { minLength: 1, maxLength: 5 });

void test('levels without wildcards, + as a level and # as the last one make a filter', () => {
  fc.assert(
    fc.property(levels, fc.boolean(), (some, isOpen) => {
      const filter = [...some, ...(isOpen ? ['#'] : [])].join('/');
      assert.equal(isFilter(filter), filter !== '');
      assert.equal(isTopic(filter), filter !== '' && !isOpen && !some.includes('+'));
    }),
  );
});

void test('a wildcard beside other characters, or # before the end, makes no filter', () => {
  const spoilt = fc.tuple(
    fc.constantFrom('+', '#'),
    plainLevel.filter((level) => level !== ''),
    fc.boolean(),
  );

  fc.assert(
    fc.property(levels, spoilt, levels, (before, [wildcard, text, isFirst], after) => {
      const level = isFirst ? wildcard + text : text + wildcard;
      assert.equal(isFilter([...before, level, ...after].join('/')), false);
      assert.equal(isFilter([...before, '#', ...after].join('/')), false);
    }),
  );
});
