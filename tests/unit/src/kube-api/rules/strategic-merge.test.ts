import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { isObject } from '../../../../../src/kube-api/json.ts';
import { strategicMerge } from '../../../../../src/kube-api/rules/strategic-merge.ts';
import type { Schema } from '../../../../../src/kube-api/schema/schema.ts';

const POD: Schema = {
  type: 'object',
  properties: {
    containers: {
      type: 'array',
      'x-kubernetes-patch-strategy': 'merge',
      'x-kubernetes-patch-merge-key': 'name',
      items: { type: 'object', properties: { args: { type: 'array' } } },
    },
    finalizers: { type: 'array', items: { type: 'string' }, 'x-kubernetes-patch-strategy': 'merge' },
    tolerations: { type: 'array', items: { type: 'object' } },
  },
};

test('items are merged by their key, new ones are added, lists without a key are replaced', () => {
  const old = { containers: [{ name: 'a', image: '1', args: ['x'] }, { name: 'b' }], tolerations: [{ key: 'k' }] };

  const merged = strategicMerge(POD, old, {
    containers: [{ name: 'a', args: ['y'] }, { name: 'c' }],
    tolerations: [{ key: 'l' }],
  });

  assert.deepEqual(merged, {
    containers: [{ name: 'a', image: '1', args: ['y'] }, { name: 'b' }, { name: 'c' }],
    tolerations: [{ key: 'l' }],
  });
});

test('directives delete items, replace lists and objects, and leave no trace', () => {
  const old = { containers: [{ name: 'a' }, { name: 'b' }], finalizers: ['x', 'y'], labels: { a: 'b' } };

  assert.deepEqual(strategicMerge(POD, old, { containers: [{ name: 'a', $patch: 'delete' }] }), {
    ...old,
    containers: [{ name: 'b' }],
  });
  assert.deepEqual(strategicMerge(POD, old, { containers: [{ name: 'z' }, { $patch: 'replace' }] }), {
    ...old,
    containers: [{ name: 'z' }],
  });
  assert.deepEqual(strategicMerge(POD, old, { labels: { $patch: 'replace', c: 'd' } }), { ...old, labels: { c: 'd' } });
  assert.deepEqual(strategicMerge(POD, old, { '$deleteFromPrimitiveList/finalizers': ['x'] }), {
    ...old,
    finalizers: ['y'],
  });
  assert.deepEqual(strategicMerge(POD, old, { labels: { $retainKeys: ['c'], c: 'd' } }), {
    ...old,
    labels: { c: 'd' },
  });
});

test('the order that its sender asks for is kept', () => {
  const old = { containers: [{ name: 'a' }, { name: 'b' }] };
  const patch = {
    '$setElementOrder/containers': [{ name: 'b' }, { name: 'c' }, { name: 'a' }],
    containers: [{ name: 'c' }],
  };

  assert.deepEqual(strategicMerge(POD, old, patch), { containers: [{ name: 'b' }, { name: 'c' }, { name: 'a' }] });
});

test('an item without its key is refused', () => {
  assert.throws(() => strategicMerge(POD, { containers: [] }, { containers: [{ image: 'x' }] }), /merge key: name/);
});

test('merging keyed items twice changes nothing more, and loses none', () => {
  const items = fc.uniqueArray(fc.record({ name: fc.constantFrom('a', 'b', 'c', 'd'), image: fc.string() }), {
    selector: ({ name }) => name,
  });
  fc.assert(
    fc.property(items, items, (old, patch) => {
      const once = strategicMerge(POD, { containers: old }, { containers: patch });
      const names = new Set([...old, ...patch].map(({ name }) => name));
      assert.ok(isObject(once) && Array.isArray(once['containers']));
      assert.equal(once['containers'].length, names.size);
      assert.deepEqual(strategicMerge(POD, once, { containers: patch }), once);
    }),
  );
});
