// Payloads for twins that no client should send: valid ones of the contract, mutated as JSON and as bytes. The same seed gives the
// same payloads.
import { seededRandom } from '../../../src/kit/random.ts';

export type Request = 'twin/update' | 'twin/get' | 'state/update';

export interface Mutant {
  readonly request: Request;
  readonly payload: Buffer;
}

type Random = () => number;

const pick = <T>(random: Random, list: readonly T[]): T => list[Math.floor(random() * list.length)] as T;

/** Payloads of updates, reads and states as the contract has them; ids of their own, so that none is taken for another's resend. */
const VALID: readonly ((id: string) => readonly [Request, string])[] = [
  (id) => ['twin/update', update(id, { count: { actual: { value: '5' } } })],
  (id) => ['twin/update', update(id, { setpoint: { expected: { value: '70' }, metadata: { type: 'int' } } })],
  (id) => ['twin/update', update(id, { a: { actual: { value: '64.5' }, metadata: { type: 'float' } }, b: null })],
  (id) => ['twin/update', update(id, { a: { expected: { value: 'on' }, actual: { value: 'off' }, optional: true } })],
  (id) => ['twin/update', update(id, { c: { actual: { value: { x: [1, 'y', null] } }, metadata: { type: 'json' } } })],
  (id) => ['twin/update', update(id, { d: { actual: { value: true, metadata: { timestamp: 1_767_225_600_000 } } } })],
  (id) => ['twin/get', `{"event_id":"${id}","timestamp":1767225600000}`],
  (id) => ['state/update', `{"event_id":"${id}","timestamp":1767225600000,"state":"online"}`],
];

const update = (id: string, twin: object): string =>
  JSON.stringify({ event_id: id, timestamp: 1_767_225_600_000, twin });

export function* mutants(seed: number): Generator<Mutant> {
  const random = seededRandom(seed);
  for (let place = 0; ; place += 1) {
    const id = `${seed.toString(36)}-${place.toString(36)}-${Math.floor(random() * 2 ** 48).toString(36)}`;
    const [request, text] = pick(random, VALID)(id);
    yield { request, payload: mutated(random, text) };
  }
}

function mutated(random: Random, text: string): Buffer {
  const kind = random();
  if (kind < 0.05) return Buffer.from(text);
  if (kind < 0.5) return Buffer.from(mutatedJson(random, text));
  let bytes: Buffer = Buffer.from(kind < 0.65 ? mutatedJson(random, text) : text);
  for (let times = 1 + Math.floor(random() * 4); times > 0; times -= 1)
    bytes = pick(random, BYTE_CHANGES)(random, bytes);
  return bytes;
}

// As JSON.

/** Written as text, because `JSON.stringify` could not say some of it. */
const VALUES: readonly ((random: Random) => string)[] = [
  () => 'null',
  () => '{}',
  () => '[]',
  () => 'true',
  () => '0',
  () => '-0',
  () => '1e999',
  () => '-1E+400',
  () => '{"a":[1e400]}',
  () => '9007199254740993',
  () => '9223372036854775808',
  () => `1${'0'.repeat(400)}`,
  () => '0.1e-400',
  () => '""',
  () => '"NaN"',
  () => '"\\u0000\\ud800\\uffff"',
  () => '"__proto__"',
  () => '{"__proto__":{"value":"1"}}',
  () => '{"constructor":{"prototype":{"value":"1"}}}',
  () => '{"value":"1","value":{"value":"2"}}',
  () => '{"VALUE":"1","Value":"2"}',
  () => '{"value":null}',
  (random) => JSON.stringify('ab'.repeat(Math.floor(random() * 3000))),
  () => `"${'1'.repeat(100_000)}x"`,
  () => `"0x${'1'.repeat(100_000)}x"`,
  (random) => `[${'1,'.repeat(Math.floor(random() * 1000))}1]`,
  (random) => nested(random, '[', ']'),
  (random) => nested(random, '{"a":', '}'),
];

/** Seldom as deep as the stack of JavaScript does not bear. */
function nested(random: Random, open: string, close: string): string {
  const depth = random() < 0.02 ? 20_000 : Math.floor(random() * 300);
  return `${open.repeat(depth)}1${close.repeat(depth)}`;
}

const NAMES = ['twin', 'Twin', 'TWIN', 'actual', 'expected', 'value', 'metadata', 'optional', 'type', 'state'];
const ODD_NAMES = [
  '',
  '__proto__',
  'constructor',
  'toString',
  'a b',
  'ä',
  '0',
  'x'.repeat(129),
  'x'.repeat(128),
  '\u0000',
];

/** Places in a valid text where a value, or a name, stands; the event id stays, so that every mutant is a publication of its own. */
function mutatedJson(random: Random, text: string): string {
  const places = [...text.matchAll(/"(?:[^"\\]|\\.)*"(?=\s*:)|(?<=:)(?:"(?:[^"\\]|\\.)*"|[\d.]+|true|false|null)/g)];
  const place = pick(random, places.slice(2));
  const isName = text.startsWith(':', place.index + place[0].length);
  const instead = isName ? otherName(random, place[0]) : pick(random, VALUES)(random);
  const changed = `${text.slice(0, place.index)}${instead}${text.slice(place.index + place[0].length)}`;
  return random() < 0.15 ? withTwice(random, changed) : changed;
}

function otherName(random: Random, name: string): string {
  const kind = random();
  if (kind < 0.3) return Array.from(name, (letter) => (random() < 0.5 ? letter.toUpperCase() : letter)).join('');
  return JSON.stringify(pick(random, kind < 0.6 ? NAMES : ODD_NAMES));
}

/** A field that is there twice. */
const withTwice = (random: Random, text: string): string =>
  text.replace(/\}$/, `,"${pick(random, NAMES)}":${pick(random, VALUES)(random)}}`);

// As bytes.

const BYTE_CHANGES: readonly ((random: Random, bytes: Buffer) => Buffer)[] = [
  (random, bytes) => replaced(bytes, place(random, bytes), 1, [Math.floor(random() * 256)]),
  (random, bytes) => replaced(bytes, place(random, bytes), 0, [Math.floor(random() * 256)]),
  (random, bytes) => replaced(bytes, place(random, bytes), 1, []),
  (random, bytes) => bytes.subarray(0, place(random, bytes)),
  (random, bytes) => bytes.subarray(place(random, bytes)),
  (random, bytes) => replaced(bytes, place(random, bytes), 0, bytes.subarray(place(random, bytes))),
  (_, bytes) => Buffer.concat([Buffer.from('\ufeff'), bytes]),
  (random, bytes) => replaced(bytes, place(random, bytes), 0, pick(random, [[0xff], [0xc0, 0x80], [0xed, 0xa0, 0x80]])),
  (random, bytes) =>
    replaced(bytes, place(random, bytes), 0, Buffer.from(pick(random, ['{', '}', '"', ',', ':', '\\', '\n']))),
  (_, bytes) => Buffer.concat([bytes, bytes]),
];

const place = (random: Random, bytes: Buffer): number => Math.floor(random() * (bytes.length + 1));

const replaced = (bytes: Buffer, at: number, length: number, by: Iterable<number>): Buffer =>
  Buffer.concat([bytes.subarray(0, at), Buffer.from([...by]), bytes.subarray(at + length)]);
