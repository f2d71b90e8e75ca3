import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { JsonObject, KubeObject } from '../../../../../src/kube-api/json.ts';
import { applied } from '../../../../../src/kube-api/rules/apply/apply.ts';
import { decodeFields, encodeFields, pathKey } from '../../../../../src/kube-api/rules/apply/field-set.ts';
import { managersOf, withManagers, type Writer } from '../../../../../src/kube-api/rules/apply/managers.ts';
import { trackUpdate } from '../../../../../src/kube-api/rules/apply/track-update.ts';
import type { Schema } from '../../../../../src/kube-api/schema/schema.ts';

const SCHEMA: Schema = {
  type: 'object',
  properties: {
    data: { type: 'object', additionalProperties: { type: 'string' } },
    ports: {
      type: 'array',
      'x-kubernetes-list-type': 'map',
      'x-kubernetes-list-map-keys': ['name'],
      items: { type: 'object', properties: { name: { type: 'string' }, number: { type: 'integer' } } },
    },
    tags: { type: 'array', 'x-kubernetes-list-type': 'set', items: { type: 'string' } },
  },
};

const by = (name: string, operation: Writer['operation'] = 'Apply'): Writer => ({
  name,
  operation,
  apiVersion: 'v1',
  subresource: '',
  time: 'now',
});
const object = (content: JsonObject): KubeObject => ({
  apiVersion: 'v1',
  kind: 'Thing',
  metadata: { name: 't' },
  ...content,
});
const EMPTY = object({});
const PLAIN = { noNullPrototype: true };

function apply(live: KubeObject, config: JsonObject, writer: Writer, force = false): KubeObject {
  const result = applied({ schema: SCHEMA, config: object(config), writer, force }, live);
  return withManagers(result.object as KubeObject, result.managers);
}

const content = ({ apiVersion: _v, kind: _k, metadata: _m, ...rest }: KubeObject): JsonObject => rest;

test('what a manager no longer states goes, and what others state stays', () => {
  const first = apply(EMPTY, { data: { a: '1', b: '2' }, ports: [{ name: 'x', number: 1 }] }, by('one'));
  const second = apply(first, { data: { c: '3' }, ports: [{ name: 'y', number: 2 }] }, by('two'));

  const third = apply(second, { data: { a: '1' } }, by('one'));

  assert.deepEqual(content(third), { data: { a: '1', c: '3' }, ports: [{ name: 'y', number: 2 }] });
});

test('a value that somebody else manages is a conflict, unless it is the same or forced', () => {
  const live = apply(EMPTY, { data: { a: '1' }, tags: ['x'] }, by('one'));

  assert.throws(
    () => apply(live, { data: { a: '2' } }, by('two')),
    /Apply failed with 1 conflict: conflict with "one": \.data\.a/,
  );
  assert.deepEqual(content(apply(live, { data: { a: '1' }, tags: ['y'] }, by('two'))), {
    data: { a: '1' },
    tags: ['x', 'y'],
  });
  const forced = apply(live, { data: { a: '2' } }, by('two'), true);
  assert.deepEqual(content(forced), { data: { a: '2' }, tags: ['x'] });
  assert.throws(() => apply(forced, { data: { a: '3' } }, by('one')), /conflict with "two"/);
});

test('an update makes what it changes its own', () => {
  const live = apply(EMPTY, { data: { a: '1', b: '1' } }, by('one'));
  const updated = trackUpdate(SCHEMA, live, { ...live, data: { a: '9', b: '1' } }, by('editor', 'Update'));

  assert.throws(
    () => apply(updated, { data: { a: '1', b: '1' } }, by('one')),
    /conflict with "editor" using v1: \.data\.a/,
  );
  assert.deepEqual(
    managersOf(updated).map(({ name }) => name),
    ['one', 'editor'],
  );
});

test('an update that changes nothing leaves the managers alone', () => {
  const live = apply(EMPTY, { data: { a: '1' } }, by('one'));

  assert.equal(trackUpdate(SCHEMA, live, live, by('editor', 'Update')), live);
});

test('items of other managers survive when a shared list is no longer stated', () => {
  const first = apply(EMPTY, { ports: [{ name: 'x', number: 1 }], tags: ['a'] }, by('one'));
  const second = trackUpdate(
    SCHEMA,
    first,
    {
      ...first,
      ports: [
        { name: 'x', number: 1 },
        { name: 'y', number: 2 },
      ],
      tags: ['a', 'b'],
    },
    by('editor', 'Update'),
  );

  assert.deepEqual(content(apply(second, {}, by('one'))), { ports: [{ name: 'y', number: 2 }], tags: ['b'] });
});

test('applying the same configuration twice changes nothing more', () => {
  const config = fc.record(
    {
      data: fc.dictionary(fc.constantFrom('a', 'b', 'c'), fc.string({ maxLength: 2 }), PLAIN),
      tags: fc.uniqueArray(fc.constantFrom('x', 'y', 'z')),
      ports: fc.uniqueArray(fc.record({ name: fc.constantFrom('p', 'q'), number: fc.nat(3) }, PLAIN), {
        selector: ({ name }) => name,
      }),
    },
    PLAIN,
  );
  fc.assert(
    fc.property(config, config, (first, second) => {
      const once = apply(apply(EMPTY, first, by('one')), second, by('two'), true);
      assert.deepEqual(apply(once, second, by('two')), once);
    }),
  );
});

test('a set of fields survives being written down', () => {
  const element = fc.constantFrom('f:a', 'f:b', 'k:{"name":"x"}', 'v:1');
  fc.assert(
    fc.property(fc.array(fc.array(element, { minLength: 1, maxLength: 4 })), (paths) => {
      const set = new Set(paths.map(pathKey));
      assert.deepEqual(decodeFields(encodeFields(set)), set);
    }),
  );
});
