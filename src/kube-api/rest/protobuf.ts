// `kubectl create namespace|configmap|secret|serviceaccount` send protobuf whatever the server says it speaks. This reads those
// kinds and no others: an envelope (`k8s\0`, then runtime.Unknown) around a message whose field numbers are written down here.
import { listOf, objectOf, textOf, type Json, type JsonObject } from '../json.ts';
import { type StatusError, badRequest, unsupportedMediaType } from '../status.ts';

/** What a field holds: text, bytes (base64 in JSON), a flag, a message, or many of one of them. */
type FieldType =
  'text' | 'bytes' | 'flag' | Message | { readonly many: FieldType } | { readonly mapOf: 'text' | 'bytes' };
type Message = { readonly fields: Readonly<Record<number, readonly [name: string, type: FieldType]>> };

const MAGIC = Buffer.from('k8s\0');
const TEXT_MAP = { mapOf: 'text' } as const;
const BYTES_MAP = { mapOf: 'bytes' } as const;

const NAME_ONLY: Message = { fields: { 1: ['name', 'text'] } };
const OBJECT_REFERENCE: Message = { fields: { 1: ['kind', 'text'], 2: ['namespace', 'text'], 3: ['name', 'text'] } };
const METADATA: Message = {
  fields: {
    1: ['name', 'text'],
    2: ['generateName', 'text'],
    3: ['namespace', 'text'],
    11: ['labels', TEXT_MAP],
    12: ['annotations', TEXT_MAP],
    14: ['finalizers', { many: 'text' }],
  },
};
const TYPE_META: Message = { fields: { 1: ['apiVersion', 'text'], 2: ['kind', 'text'] } };
const UNKNOWN: Message = { fields: { 1: ['typeMeta', TYPE_META], 2: ['raw', 'bytes'] } };

const KINDS: Readonly<Record<string, Message>> = {
  Namespace: { fields: { 1: ['metadata', METADATA] } },
  ConfigMap: {
    fields: {
      1: ['metadata', METADATA],
      2: ['data', TEXT_MAP],
      3: ['binaryData', BYTES_MAP],
      4: ['immutable', 'flag'],
    },
  },
  Secret: {
    fields: {
      1: ['metadata', METADATA],
      2: ['data', BYTES_MAP],
      3: ['type', 'text'],
      4: ['stringData', TEXT_MAP],
      5: ['immutable', 'flag'],
    },
  },
  ServiceAccount: {
    fields: {
      1: ['metadata', METADATA],
      2: ['secrets', { many: OBJECT_REFERENCE }],
      3: ['imagePullSecrets', { many: NAME_ONLY }],
      4: ['automountServiceAccountToken', 'flag'],
    },
  },
};

/** The object in the body, or a refusal that says which kind cannot be read. */
export function decodeProtobuf(body: Buffer, what: string): Json {
  if (!body.subarray(0, MAGIC.length).equals(MAGIC))
    throw badRequest('the body of the request is not Kubernetes protobuf');
  const envelope = decode(UNKNOWN, body.subarray(MAGIC.length)) as { typeMeta?: JsonObject; raw?: string };
  const { apiVersion = '', kind = '' } = (envelope.typeMeta ?? {}) as { apiVersion?: string; kind?: string };
  const message = apiVersion === 'v1' && Object.hasOwn(KINDS, kind) ? KINDS[kind] : undefined;
  if (message === undefined) {
    throw unsupportedMediaType(
      `the ${what} (${apiVersion} ${kind}) was sent as protobuf, which this server reads for ${Object.keys(KINDS).join(', ')} only: send application/json or application/yaml`,
    );
  }
  return { apiVersion, kind, ...decode(message, Buffer.from(envelope.raw ?? '', 'base64')) };
}

function decode(message: Message, bytes: Buffer): JsonObject {
  const found: Record<string, Json> = {};
  for (const { number, value } of wireFields(bytes)) {
    const field = message.fields[number];
    if (field === undefined) continue;
    const [name, type] = field;
    const next = decodeValue(type, value, found[name]);
    if (next !== '') found[name] = next; // Go writes unset texts as empty ones
  }
  return found;
}

function decodeValue(type: FieldType, value: WireValue, before: Json | undefined): Json {
  if (type === 'flag') return value === 1n;
  if (!Buffer.isBuffer(value)) throw malformed();
  if (type === 'text') return value.toString('utf8');
  if (type === 'bytes') return value.toString('base64');
  if ('fields' in type) return decode(type, value);
  if ('many' in type) return [...listOf(before), decodeValue(type.many, value, undefined)];
  return { ...objectOf(before), ...decodeEntry(type.mapOf, value) };
}

function decodeEntry(type: 'text' | 'bytes', value: Buffer): JsonObject {
  const entry = decode({ fields: { 1: ['key', 'text'], 2: ['value', type] } }, value);
  return { [textOf(entry['key'])]: textOf(entry['value']) };
}

type WireValue = bigint | Buffer;

function* wireFields(bytes: Buffer): Generator<{ number: number; value: WireValue }> {
  let at = 0;
  const varint = (): bigint => {
    let result = 0n;
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = bytes[at++];
      if (byte === undefined) break;
      result |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return result;
    }
    throw malformed();
  };
  const take = (length: number): Buffer => {
    if (at + length > bytes.length) throw malformed();
    at += length;
    return bytes.subarray(at - length, at);
  };
  while (at < bytes.length) {
    const tag = Number(varint());
    yield { number: tag >> 3, value: wireValue(tag & 7, varint, take) };
  }
}

function wireValue(wireType: number, varint: () => bigint, take: (length: number) => Buffer): WireValue {
  switch (wireType) {
    case 0:
      return varint();
    case 1:
      return take(8);
    case 2:
      return take(Number(varint()));
    case 5:
      return take(4);
    default:
      throw malformed();
  }
}

const malformed = (): StatusError => badRequest('the body of the request is not valid protobuf');
