import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { carriedPayload } from '../../../../src/wire/carried-payload.ts';

const carried = (text: string): object => carriedPayload(Buffer.from(text));
const asBytes = (text: string): object => ({ base64: Buffer.from(text).toString('base64') });

void test('JSON travels as the text that came, digits and all', () => {
  for (const json of ['{}', '[1, 2]', ' "x"\n', '0.10', '12345678901234567890', 'true', 'null', '{"a":1,"a":2}'])
    assert.deepEqual(carried(json), { json });
});

void test('everything else travels as bytes', () => {
  for (const text of ['', 'ON', '{', '{"a":1}x', '01', "{'a':1}", '\ufeff{}'])
    assert.deepEqual(carried(text), asBytes(text));
  const broken = Buffer.from([0x22, 0xff, 0x22]);
  assert.deepEqual(carriedPayload(broken), { base64: broken.toString('base64') });
  assert.deepEqual(carried('"\ufffd"'), { json: '"\ufffd"' });
});

void test('JSON that is nested too deep for other parsers travels as bytes; brackets in texts do not count', () => {
  const nested = (depth: number): string => `${'['.repeat(depth)}${']'.repeat(depth)}`;

  assert.deepEqual(carried(nested(64)), { json: nested(64) });
  assert.deepEqual(carried(nested(65)), asBytes(nested(65)));
  assert.deepEqual(carried(`{"a":${nested(64)}}`), asBytes(`{"a":${nested(64)}}`));
  const text = JSON.stringify([`\\"${'['.repeat(1000)}`]);
  assert.deepEqual(carried(text), { json: text });
  assert.deepEqual(carried(`[${'{},'.repeat(1000)}{}]`), { json: `[${'{},'.repeat(1000)}{}]` });
});

void test('any JSON of a sane depth is taken for JSON', () => {
  fc.assert(
    fc.property(fc.json(), (json) => {
      assert.deepEqual(carried(json), { json });
    }),
  );
});
