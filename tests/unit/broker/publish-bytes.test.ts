import fc from 'fast-check';
import { generate } from 'mqtt-packet';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PublishHeads } from '../../../broker/publish-bytes.ts';

const publication = fc.record({
  topic: fc.string({ unit: 'grapheme', minLength: 1, maxLength: 200 }),
  qos: fc.constantFrom(0 as const, 1 as const, 2 as const),
  retain: fc.boolean(),
  messageId: fc.integer({ min: 1, max: 65_535 }),
  size: fc.constantFrom(0, 1, 50, 127, 128, 16_383, 16_384, 2_097_152),
});

test('a head and its payload are the PUBLISH that the package for MQTT packets writes', () => {
  fc.assert(
    fc.property(fc.array(publication, { maxLength: 4 }), (publications) => {
      const heads = new PublishHeads();
      for (const { size, messageId, ...rest } of publications) {
        const payload = Buffer.alloc(size);
        const expected = generate({ cmd: 'publish', payload, dup: false, messageId, ...rest });
        const head = heads.encode({ payloadLength: size, ...rest }, messageId);
        assert.ok(Buffer.concat([head, payload]).equals(expected));
      }
    }),
    { numRuns: 50 },
  );
});

test('subscribers of one publication have packet ids of their own', () => {
  const heads = new PublishHeads();
  const publishHead = { topic: 'a/b', payloadLength: 3, qos: 1, retain: false } as const;
  const [first, second] = [heads.encode(publishHead, 1), heads.encode(publishHead, 2)];
  assert.equal(first.readUInt16BE(first.length - 2), 1);
  assert.equal(second.readUInt16BE(second.length - 2), 2);
});
