import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Json } from '../../../../../src/kube-api/json.ts';
import { withDefaults } from '../../../../../src/kube-api/schema/defaults.ts';
import { resourceSchema } from '../../../../../src/kube-api/schema/object-meta-schema.ts';
import { prune } from '../../../../../src/kube-api/schema/prune.ts';
import type { Schema } from '../../../../../src/kube-api/schema/schema.ts';
import { validate } from '../../../../../src/kube-api/schema/validate.ts';

const SCHEMA: Schema = {
  type: 'object',
  required: ['name'],
  properties: {
    name: { type: 'string', minLength: 2, maxLength: 4, pattern: '^[a-z]+$' },
    size: { type: 'integer', default: 3, minimum: 1, maximum: 9 },
    rate: { type: 'number', exclusiveMinimum: true, minimum: 0, multipleOf: 0.5 },
    kind: { type: 'string', enum: ['A', 'B'] },
    when: { type: 'string', format: 'date-time' },
    none: { type: 'string', nullable: true },
    port: { 'x-kubernetes-int-or-string': true },
    tags: { type: 'array', items: { type: 'string' }, maxItems: 2, 'x-kubernetes-list-type': 'set' },
    keyed: {
      type: 'array',
      items: { type: 'object', properties: { key: { type: 'string' } } },
      'x-kubernetes-list-type': 'map',
      'x-kubernetes-list-map-keys': ['key'],
    },
    free: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
    labels: { type: 'object', additionalProperties: { type: 'string' } },
    nested: {
      type: 'object',
      properties: { deep: { type: 'object', default: {}, properties: { on: { type: 'boolean', default: true } } } },
    },
    choice: {
      type: 'object',
      properties: { a: { type: 'string' }, b: { type: 'string' } },
      oneOf: [{ required: ['a'] }, { required: ['b'] }],
    },
  },
};

const messages = (value: Json): readonly string[] =>
  validate(SCHEMA, value).map(({ field, message }) => `${field}: ${message}`);
const one = (members: Record<string, Json>): readonly string[] => messages({ name: 'ab', ...members });

test('every rule speaks in the words of Kubernetes', () => {
  const expectations: readonly (readonly [Record<string, Json>, string])[] = [
    [{ size: 'x' }, 'size: Invalid value: "string": size in body must be of type integer: "string"'],
    [{ size: 1.5 }, 'size: Invalid value: "number": size in body must be of type integer: "number"'],
    [{ size: 0 }, 'size: Invalid value: 0: size in body should be greater than or equal to 1'],
    [{ size: 10 }, 'size: Invalid value: 10: size in body should be less than or equal to 9'],
    [{ rate: 0 }, 'rate: Invalid value: 0: rate in body should be greater than 0'],
    [{ rate: 0.7 }, 'rate: Invalid value: 0.7: rate in body should be a multiple of 0.5'],
    [{ kind: 'C' }, 'kind: Unsupported value: "C": supported values: "A", "B"'],
    [{ when: 'soon' }, 'when: Invalid value: "soon": when in body must be of type date-time: "soon"'],
    [{ port: true }, 'port: Invalid value: "boolean": port in body must be of type integer,string: "boolean"'],
    [{ tags: ['a', 'a'] }, 'tags[1]: Duplicate value: "a"'],
    [{ tags: ['a', 'b', 'c'] }, 'tags: Too many: 3: must have at most 2 items'],
    [{ keyed: [{ key: 'a' }, { key: 'a' }] }, 'keyed[1]: Duplicate value: {"key":"a"}'],
    [{ labels: { a: 1 } }, 'labels.a: Invalid value: "integer": labels.a in body must be of type string: "integer"'],
    [
      { choice: {} },
      'choice: Invalid value: {}: choice in body must validate one and only one schema (oneOf). Found none valid',
    ],
  ];

  for (const [members, message] of expectations) assert.deepEqual(one(members), [message]);
  assert.deepEqual(messages({}), ['name: Required value']);
  assert.deepEqual(messages({ name: 'A' }), [
    'name: Invalid value: "A": name in body should be at least 2 chars long',
    `name: Invalid value: "A": name in body should match '^[a-z]+$'`,
  ]);
  assert.deepEqual(messages({ name: 'abcde' }), ['name: Too long: may not be more than 4 bytes']);
});

test('what fits is not complained about', () => {
  assert.deepEqual(
    one({ none: null, port: 'http', when: '2026-01-01T00:00:00.5Z', rate: 1.5, free: { any: [1] }, choice: { a: '' } }),
    [],
  );
});

test('unknown members are pruned and named, free ones are kept', () => {
  const { value, unknown } = prune(SCHEMA, {
    name: 'ab',
    bogus: 1,
    keyed: [{ key: 'a', odd: 2 }],
    free: { any: 1 },
    labels: { x: 'y' },
  });

  assert.deepEqual(value, { name: 'ab', keyed: [{ key: 'a' }], free: { any: 1 }, labels: { x: 'y' } });
  assert.deepEqual(unknown, ['bogus', 'keyed[0].odd']);
});

test('defaults fill what is missing, also inside of defaults', () => {
  assert.deepEqual(withDefaults(SCHEMA, { nested: {} }), { nested: { deep: { on: true } }, size: 3 });
  assert.deepEqual(withDefaults(SCHEMA, { size: null, none: null }), { size: 3, none: null });
});

test('embedded resources keep their identity and must have one', () => {
  const schema = resourceSchema({
    type: 'object',
    properties: { template: { type: 'object', 'x-kubernetes-embedded-resource': true } },
  });
  const template = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'p', labels: { a: 'b' } }, spec: {} };

  assert.deepEqual(prune(schema, { template }).unknown, ['template.spec']);
  assert.deepEqual(
    validate(schema, { template: {} }).map(({ field }) => field),
    ['template.apiVersion', 'template.kind'],
  );
});

test('pruning and defaulting twice is the same as once, and pruning leaves nothing to prune', () => {
  const members = fc.record(
    {
      name: fc.constantFrom('ab', 'zz'),
      size: fc.option(fc.integer({ min: 1, max: 9 })),
      nested: fc.record({ deep: fc.record({ on: fc.boolean() }, { requiredKeys: [] }) }, { requiredKeys: [] }),
      free: fc.dictionary(fc.string(), fc.jsonValue()),
      other: fc.jsonValue(),
    },
    { requiredKeys: [] },
  ) as fc.Arbitrary<Json>;
  fc.assert(
    fc.property(members, (value) => {
      const once = withDefaults(SCHEMA, prune(SCHEMA, value).value);
      assert.deepEqual(prune(SCHEMA, once), { value: once, unknown: [] });
      assert.deepEqual(withDefaults(SCHEMA, once), once);
    }),
  );
});
