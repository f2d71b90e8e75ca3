// The body of a request: read within a limit, and decoded by its content type.
import type { IncomingMessage } from 'node:http';
import { parseDocument } from 'yaml';
import { messageOf } from '../../kit/errors.ts';
import { mebibytes } from '../../kit/units.ts';
import type { Json } from '../json.ts';
import { decodeProtobuf } from './protobuf.ts';
import { badRequest, tooLarge, unsupportedMediaType } from '../status.ts';

export interface Body {
  /** Without parameters, in lower case. */
  readonly mediaType: string;
  readonly bytes: Buffer;
}

const LIMIT = mebibytes(3);
const PROTOBUF = 'application/vnd.kubernetes.protobuf';

export async function readBody(request: IncomingMessage): Promise<Body> {
  const mediaType = (request.headers['content-type'] ?? '').split(';')[0]?.trim().toLowerCase() ?? '';
  if (Number(request.headers['content-length'] ?? 0) > LIMIT) throw tooLarge(LIMIT);
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > LIMIT) throw tooLarge(LIMIT);
    chunks.push(chunk);
  }
  return { mediaType, bytes: Buffer.concat(chunks) };
}

/** An object sent as JSON or YAML; clients that name no type mean JSON. */
export function decodeObject(body: Body, what: string): Json {
  const { mediaType, bytes } = body;
  if (mediaType === PROTOBUF) return decodeProtobuf(bytes, what);
  if (mediaType.endsWith('yaml')) return decodeYaml(textOfBody(body));
  if (mediaType === '' || mediaType === 'application/json' || mediaType === '*/*') return decodeJson(textOfBody(body));
  throw unsupportedMediaType(`the ${what} was sent as ${mediaType}; accepted are application/json, application/yaml`);
}

export const textOfBody = ({ bytes }: Body): string => bytes.toString('utf8');

export function decodeJson(text: string): Json {
  try {
    return JSON.parse(text) as Json;
  } catch (error) {
    throw badRequest(`the body of the request is not JSON: ${messageOf(error)}`);
  }
}

export function decodeYaml(text: string): Json {
  const document = parseDocument(text, { merge: true });
  const [first] = document.errors;
  if (first !== undefined) throw badRequest(`the body of the request is not YAML: ${first.message}`);
  return document.toJS({ maxAliasCount: 100 }) as Json;
}
