import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Json } from '../../../../../src/kube-api/json.ts';
import { jsonPatch } from '../../../../../src/kube-api/rules/json-patch.ts';

const target = { spec: { items: [{ name: 'a' }], size: 1 } };

test('operations apply in order, and the object they were applied to stays as it was', () => {
  const patch = [
    { op: 'test', path: '/spec/size', value: 1 },
    { op: 'add', path: '/spec/items/-', value: { name: 'b' } },
    { op: 'copy', from: '/spec/size', path: '/spec/copied' },
    { op: 'remove', path: '/spec/size' },
  ];

  assert.deepEqual(jsonPatch(target, patch), { spec: { items: [{ name: 'a' }, { name: 'b' }], copied: 1 } });
  assert.deepEqual(target, { spec: { items: [{ name: 'a' }], size: 1 } });
});

test('an operation that does not fit is named', () => {
  const failing = (operation: Json) => () => jsonPatch(target, [operation]);

  assert.throws(failing({ op: 'remove', path: '/spec/none' }), /remove \/spec\/none/);
  assert.throws(failing({ op: 'test', path: '/spec/size', value: 2 }), { code: 422 });
});

test('what is no patch, or reaches for prototypes, is a bad request', () => {
  assert.throws(() => jsonPatch(target, {}), { code: 400 });
  assert.throws(() => jsonPatch(target, [{ op: 'explode', path: '/a' }]), { code: 400 });
  assert.throws(() => jsonPatch(target, [{ op: 'add', path: '/__proto__/x', value: 1 }]), { code: 400 });
  assert.throws(() => jsonPatch(target, [{ op: 'add', path: '/constructor/prototype/x', value: 1 }]), { code: 400 });
});
