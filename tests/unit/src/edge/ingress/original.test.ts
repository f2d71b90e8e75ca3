import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { originalOf } from '../../../../../src/edge/ingress/original.ts';

void test('a short payload is shown whole: text as text, anything else as base64', () => {
  assert.deepEqual(originalOf(Buffer.from('grün')), { payload: 'grün' });
  assert.deepEqual(originalOf(new Uint8Array()), { payload: '' });
  assert.deepEqual(originalOf(Buffer.of(0xff, 0x00)), { payload_base64: '/wA=' });
  // The beginning of a character, and no end.
  assert.deepEqual(originalOf(Buffer.of(0x61, 0xc3)), { payload_base64: 'YcM=' });
});

void test('a long text is cut between characters, and says so', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', minLength: 600, maxLength: 1500 }), (text) => {
      const bytes = Buffer.from(text);
      const { payload, truncated } = originalOf(bytes);
      assert.equal(truncated, bytes.length > 1024 ? true : undefined);
      assert.ok(payload !== undefined && bytes.toString().startsWith(payload));
      assert.ok(Buffer.byteLength(payload) > Math.min(bytes.length, 1024) - 4);
    }),
  );
});

void test('long bytes are cut at 1 KiB', () => {
  const { payload_base64: shown = '', truncated } = originalOf(Buffer.alloc(5000, 0xff));

  assert.deepEqual(Buffer.from(shown, 'base64'), Buffer.alloc(1024, 0xff));
  assert.equal(truncated, true);
});
