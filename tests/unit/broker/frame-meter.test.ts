import fc from 'fast-check';
import { generate } from 'mqtt-packet';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FrameMeter } from '../../../broker/frame-meter.ts';

const packetOf = (size: number): Buffer =>
  generate({ cmd: 'publish', topic: 't', payload: Buffer.alloc(size), qos: 0, dup: false, retain: false });

/** The stream, cut at the given places. */
function chunksOf(stream: Buffer, cuts: readonly number[]): Buffer[] {
  const places = [...new Set(cuts.map((cut) => cut % stream.length))].sort((a, b) => a - b);
  return [0, ...places].map((from, index) => stream.subarray(from, places[index])).filter((chunk) => chunk.length > 0);
}

void test('packets within the limit pass, however the stream is cut', () => {
  const sizes = fc.array(fc.integer({ min: 0, max: 300 }), { minLength: 1, maxLength: 20 });
  fc.assert(
    fc.property(sizes, fc.array(fc.nat(), { maxLength: 30 }), (payloads, cuts) => {
      const meter = new FrameMeter(400);

      const found = chunksOf(Buffer.concat(payloads.map(packetOf)), cuts).map((chunk) => meter.take(chunk));

      assert.ok(found.every((size) => size === undefined));
    }),
  );
});

void test('a packet over the limit is noticed at its header, after any packets and however the stream is cut', () => {
  const before = fc.array(fc.integer({ min: 0, max: 300 }), { maxLength: 10 });
  fc.assert(
    fc.property(before, fc.integer({ min: 401, max: 2 ** 21 }), fc.array(fc.nat()), (payloads, size, cuts) => {
      const meter = new FrameMeter(400);
      const header = packetOf(size).subarray(0, 5);

      const found = chunksOf(Buffer.concat([...payloads.map(packetOf), header]), cuts).map((chunk) =>
        meter.take(chunk),
      );

      assert.deepEqual(
        found.filter((one) => one !== undefined),
        [size + 3],
      );
    }),
  );
});

void test('any bytes whatever are metered without an error', () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ minLength: 1 })), (chunks) => {
      const meter = new FrameMeter(100);
      for (const chunk of chunks) meter.take(chunk);
    }),
  );
});
