import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { FrameCutter, type Frame } from '../../../../../src/cli/chaos/nats-frames.ts';

const token = fc.stringMatching(/^[a-z$_]{1,8}(\.[a-z0-9]{1,8}){0,3}$/);
const message = fc
  .record({
    subject: token,
    reply: fc.option(token),
    payload: fc.uint8Array({ maxLength: 300 }),
    header: fc.option(fc.uint8Array({ maxLength: 40 })),
  })
  .map(({ subject, reply, payload, header }) => {
    const address = [subject, '7', ...(reply === null ? [] : [reply])];
    const body = Buffer.concat([header ?? Buffer.alloc(0), payload]);
    const line = header === null ? ['MSG', ...address, body.length] : ['HMSG', ...address, header.length, body.length];
    return { bytes: Buffer.concat([Buffer.from(`${line.join(' ')}\r\n`), body, Buffer.from('\r\n')]), subject };
  });
const word = fc
  .constantFrom('PING', 'PONG', '+OK', "-ERR 'Stale Connection'", 'INFO {"server_id":"MSG a 1 9"}')
  .map((line) => ({ bytes: Buffer.from(`${line}\r\n`) }));
const conversation = fc.array(fc.oneof(message, word), { maxLength: 20 });

const plain = (frames: readonly Frame[]): readonly unknown[] =>
  frames.map(({ bytes, subject }) => [bytes.toString('hex'), subject]);

void test('however the bytes are cut, the same frames come out, and no byte is missing', () => {
  fc.assert(
    fc.property(conversation, fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 1 }), (frames, sizes) => {
      const data = Buffer.concat(frames.map(({ bytes }) => bytes));
      const cutter = new FrameCutter();
      const found: Frame[] = [];
      for (let place = 0, turn = 0; place < data.length; turn += 1) {
        const size = sizes[turn % sizes.length] ?? 1;
        found.push(...cutter.push(data.subarray(place, place + size)));
        place += size;
      }
      assert.deepEqual(plain(found), plain(frames));
    }),
    { numRuns: 500 },
  );
});

void test('a message is handed on only when all of it is there', () => {
  const cutter = new FrameCutter();

  assert.deepEqual(cutter.push(Buffer.from('MSG a.b 1 5\r\nhel')), []);
  assert.deepEqual(plain(cutter.push(Buffer.from('lo\r'))), []);
  assert.deepEqual(plain(cutter.push(Buffer.from('\nPI'))), [
    [Buffer.from('MSG a.b 1 5\r\nhello\r\n').toString('hex'), 'a.b'],
  ]);
});

void test('a payload that looks like frames is a payload', () => {
  const payload = 'PING\r\nMSG x 1 2\r\nab\r\n';
  const bytes = Buffer.from(`MSG a 1 ${payload.length}\r\n${payload}\r\n`);

  assert.deepEqual(plain(new FrameCutter().push(bytes)), [[bytes.toString('hex'), 'a']]);
});
