// The generator counts what it measures: a stream cut anywhere holds the same packets.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { FrameReader, payloadAt, publishTemplate, type PublishTemplate } from '../../../../bench/broker/frames.ts';

const templates: readonly PublishTemplate[] = [
  publishTemplate('a/b', 0, 12),
  publishTemplate('a/b', 1, 100),
  publishTemplate('a/b', 2, 300),
  publishTemplate('a/b', 0, 20_000),
];

test('every packet is found once, with its payload where it says, however the stream is cut', () => {
  const sent = fc.array(fc.nat(templates.length - 1), { minLength: 1, maxLength: 20 });
  fc.assert(
    fc.property(sent, fc.array(fc.integer({ min: 1, max: 5000 }), { minLength: 1 }), (places, cuts) => {
      const stream = Buffer.concat(
        places.map((place, number) => {
          const { bytes, payloadAt: at } = templates[place]!;
          const copy = Buffer.from(bytes);
          copy.writeDoubleLE(number, at);
          return copy;
        }),
      );
      const found: number[] = [];
      const lengths: number[] = [];
      const reader = new FrameReader((header, data, from, to) => {
        found.push(data.readDoubleLE(payloadAt(header, data, from)));
        lengths.push(to - payloadAt(header, data, from));
      });
      for (let at = 0, turn = 0; at < stream.length; turn += 1) {
        const end = at + cuts[turn % cuts.length]!;
        reader.take(stream.subarray(at, end));
        at = end;
      }
      assert.deepEqual(found, [...places.keys()]);
      assert.deepEqual(
        lengths,
        places.map((place) => templates[place]!.bytes.length - templates[place]!.payloadAt),
      );
    }),
  );
});
