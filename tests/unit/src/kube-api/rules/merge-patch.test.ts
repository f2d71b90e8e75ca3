import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { isList, isObject, type Json, type JsonObject } from '../../../../../src/kube-api/json.ts';
import { mergePatch } from '../../../../../src/kube-api/rules/merge-patch.ts';

const value = fc.jsonValue() as fc.Arbitrary<Json>;
const object = fc.dictionary(fc.string({ maxLength: 4 }), value, { noNullPrototype: true }) as fc.Arbitrary<JsonObject>;

/** Without the nulls that a merge patch reads as "remove". */
function withoutNulls(json: Json): Json {
  if (!isObject(json)) return json;
  const members = Object.entries(json).filter(([, member]) => member !== null);
  return Object.fromEntries(members.map(([name, member]) => [name, withoutNulls(member ?? null)]));
}

test('the examples of RFC 7386 come out as written there', () => {
  const examples: readonly (readonly [Json, Json, Json])[] = [
    [{ a: 'b' }, { a: 'c' }, { a: 'c' }],
    [{ a: 'b' }, { b: 'c' }, { a: 'b', b: 'c' }],
    [{ a: 'b' }, { a: null }, {}],
    [{ a: ['b'] }, { a: 'c' }, { a: 'c' }],
    [{ a: { b: 'c' } }, { a: { b: 'd', c: null } }, { a: { b: 'd' } }],
    [{ a: [{ b: 'c' }] }, { a: [1] }, { a: [1] }],
    [
      ['a', 'b'],
      ['c', 'd'],
      ['c', 'd'],
    ],
    [{ a: 'foo' }, 'bar', 'bar'],
    [{ e: null }, { a: 1 }, { e: null, a: 1 }],
    [[1, 2], { a: 'b', c: null }, { a: 'b' }],
    [{}, { a: { bb: { ccc: null } } }, { a: { bb: {} } }],
  ];

  for (const [target, patch, result] of examples) assert.deepEqual(mergePatch(target, patch), result);
});

test('applying a patch twice changes nothing more', () => {
  fc.assert(
    fc.property(object, object, (target, patch) => {
      const once = mergePatch(target, patch);
      assert.deepEqual(mergePatch(once, patch), once);
    }),
  );
});

test('an empty patch changes nothing, and a patch onto nothing leaves what it says', () => {
  fc.assert(
    fc.property(object, (json) => {
      assert.deepEqual(mergePatch(json, {}), json);
      assert.deepEqual(mergePatch({}, json), withoutNulls(json));
    }),
  );
});

test('lists are replaced whole', () => {
  fc.assert(
    fc.property(fc.array(value), fc.array(value), (old, next) => {
      const merged = mergePatch({ list: old }, { list: next });
      assert.ok(isObject(merged) && isList(merged['list']));
      assert.deepEqual(merged['list'], next);
    }),
  );
});
