// Beside the parser that it goes before: whatever comes, in whatever parts, both find the same packets and the same end.
import fc from 'fast-check';
import { generate, parser as createParser, type Packet } from 'mqtt-packet';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PacketReader, type Parser } from '../../../broker/packet-reader.ts';

const qos = fc.constantFrom(0 as const, 1 as const, 2 as const);
const id = fc.integer({ min: 1, max: 65_535 });
/** Without what `strict-packets.ts` has to look at. */
const topic = fc
  .string({ unit: 'grapheme', minLength: 1, maxLength: 40 })
  .filter((text) => !text.includes('\0') && !text.includes('\uFFFD'));

const packet: fc.Arbitrary<Packet> = fc.oneof(
  fc
    .record({
      qos,
      topic,
      retain: fc.boolean(),
      dup: fc.boolean(),
      messageId: id,
      size: fc.integer({ min: 0, max: 300 }),
    })
    .map(({ size, dup, ...rest }) => ({
      cmd: 'publish' as const,
      payload: Buffer.alloc(size, size),
      dup: dup && rest.qos > 0,
      ...rest,
    })),
  fc
    .tuple(fc.constantFrom('puback' as const, 'pubrec' as const, 'pubrel' as const, 'pubcomp' as const), id)
    .map(([cmd, messageId]) => ({ cmd, messageId })),
  fc.constant({ cmd: 'pingreq' as const }),
  fc.record({ messageId: id, topic }).map(({ messageId, topic: filter }) => ({
    cmd: 'subscribe' as const,
    messageId,
    subscriptions: [{ topic: filter, qos: 1 as const }],
  })),
);

const stream = fc
  .array(packet, { minLength: 1, maxLength: 12 })
  .map((packets) => Buffer.concat(packets.map((one) => generate(one))));
/** One byte of a good stream changed, so that headers, lengths and topics are wrong in ways that are nearly right. */
const damaged = fc.tuple(stream, fc.nat(), fc.integer({ min: 0, max: 255 })).map(([bytes, at, value]) => {
  const copy = Buffer.from(bytes);
  copy[at % copy.length] = value;
  return copy;
});
const cuts = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 10 });

interface Found {
  readonly packets: readonly object[];
  readonly error: string | undefined;
}

/** What a connection does with it: nothing more is read after an error. */
function read(bytes: Buffer, sizes: readonly number[], isFast: boolean): Found {
  const parser = createParser();
  const packets: object[] = [];
  let error: string | undefined;
  parser.on('packet', (found: object) => packets.push({ ...found }));
  parser.on('error', (problem: Error) => (error ??= problem.message));
  const reader = new PacketReader(parser as unknown as Parser, () => isFast);
  for (let at = 0, turn = 0; at < bytes.length && error === undefined; turn += 1) {
    const end = at + (sizes[turn % sizes.length] ?? 1);
    reader.take(bytes.subarray(at, end));
    at = end;
  }
  return { packets, error };
}

test('every stream of packets is read as the parser reads it, however it is cut', () => {
  fc.assert(
    fc.property(stream, cuts, (bytes, sizes) => {
      const found = read(bytes, sizes, true);
      assert.deepEqual(found, read(bytes, [bytes.length], false));
      assert.equal(found.error, undefined);
    }),
  );
});

test('publications and acknowledgements that come whole never reach the parser', () => {
  const hot = packet.filter(({ cmd }) => cmd.startsWith('pub')).map((one) => generate(one));
  fc.assert(
    fc.property(fc.array(hot, { minLength: 1 }), (packets) => {
      let found = 0;
      const parser: Parser = {
        parse: () => assert.fail('the parser was asked'),
        emit: () => (found += 1) > 0,
        error: null,
        packet: { cmd: null, length: -1 },
      };
      assert.equal(new PacketReader(parser, () => true).take(Buffer.concat(packets)), 0);
      assert.equal(found, packets.length);
    }),
  );
});

test('a damaged stream brings the packets before the damage and the parser’s own error', () => {
  fc.assert(
    fc.property(damaged, cuts, (bytes, sizes) => {
      assert.deepEqual(read(bytes, sizes, true), read(bytes, sizes, false));
    }),
    { numRuns: 1000 },
  );
});
