import { parseJson, asObject, asInteger, asString } from '../wire/json.ts';
import { natsErrors } from './errors.ts';
import type { NatsLink, NatsMessage } from './nats-link.ts';
import { serverMadeBefore, type ServerMade } from './server-made.ts';

export interface StoredMessage {
  readonly subject: string;
  readonly sequence: number;
  readonly messageId: string | undefined;
  header(name: string): string | undefined;
  /** `DEL` or `PURGE` on a deleted key of a bucket. */
  readonly operation: string | undefined;
  readonly data: Uint8Array;
  /** Nobody wrote it: somebody had the server answer there. Then it has neither data nor headers. */
  readonly made?: ServerMade;
}

/**
 * The newest message of one subject, straight from the stream, or `undefined` when there is none. Uses the form with the subject
 * in the request's own subject, the only one that a node's permissions allow. Rejects with NATS_UNAVAILABLE.
 */
export async function readLast(
  link: Pick<NatsLink, 'request'>,
  stream: string,
  subject: string,
): Promise<StoredMessage | undefined> {
  const request = `$JS.API.DIRECT.GET.${stream}.${subject}`;
  const answer = await link.request(request, new Uint8Array());
  const made = serverMadeBefore(answer);
  const isThere = answer.values('Nats-Stream').length > 0;
  if (!isThere && answer.status === 404) return undefined;
  // The last are those of this answer: a server adds its own behind what the message had.
  const sequence = Number(answer.values('Nats-Sequence').at(-1) ?? Number.NaN);
  if (!isThere || !Number.isSafeInteger(sequence)) throw natsErrors.NATS_UNAVAILABLE({ subject: request });
  if (made !== undefined) return { ...NOBODYS, subject, sequence, made };
  return {
    subject: answer.header('Nats-Subject') ?? subject,
    sequence,
    messageId: answer.header('Nats-Msg-Id'),
    header: (name) => answer.header(name),
    operation: answer.header('KV-Operation'),
    data: answer.data,
  };
}

const NOBODYS = {
  messageId: undefined,
  header: () => undefined,
  operation: undefined,
  data: new Uint8Array(),
};

/** What JetStream answered to a publish: its place in the stream, or the reason it was refused. */
export type PublishReceipt =
  | { readonly kind: 'stored'; readonly sequence: number; readonly duplicate: boolean }
  | { readonly kind: 'wrong-sequence' }
  | { readonly kind: 'refused'; readonly code: number; readonly description: string }
  | { readonly kind: 'unavailable' };

/** JetStream's API error: the subject's last sequence is not the expected one. */
const WRONG_LAST_SEQUENCE = 10071;
/** JetStream's API error: the message is larger than its stream takes. */
export const MESSAGE_TOO_LARGE = 10054;

export function receiptOf(answer: NatsMessage): PublishReceipt {
  if (answer.status !== undefined) return { kind: 'unavailable' };
  const body = asObject(parseJson(answer.data)) ?? {};
  const error = asObject(body['error']);
  if (error !== undefined) {
    const code = asInteger(error['err_code']) ?? 0;
    if (code === WRONG_LAST_SEQUENCE) return { kind: 'wrong-sequence' };
    // 5xx of JetStream: the server is starting, out of resources, or has no leader; asking again later is right.
    if ((asInteger(error['code']) ?? 0) >= 500) return { kind: 'unavailable' };
    return { kind: 'refused', code, description: asString(error['description']) ?? 'no description' };
  }
  const sequence = asInteger(body['seq']);
  return sequence === undefined
    ? { kind: 'unavailable' }
    : { kind: 'stored', sequence, duplicate: body['duplicate'] === true };
}

/**
 * Puts a value under a key of a bucket. `expected` is the revision the key must have now (0: no value yet). Resolves with the
 * new revision, or `conflict` when somebody else was first. Rejects with NATS_UNAVAILABLE or NATS_REFUSED.
 */
export async function putIfRevision(
  link: NatsLink,
  subject: string,
  payload: Uint8Array,
  expected: number,
): Promise<number | 'conflict'> {
  const answer = await link.request(subject, payload, {
    headers: { 'Nats-Expected-Last-Subject-Sequence': String(expected) },
  });
  const receipt = receiptOf(answer);
  switch (receipt.kind) {
    case 'stored':
      return receipt.sequence;
    case 'wrong-sequence':
      return 'conflict';
    case 'refused':
      throw natsErrors.NATS_REFUSED({ subject, code: receipt.code, description: receipt.description });
    case 'unavailable':
      throw natsErrors.NATS_UNAVAILABLE({ subject });
  }
}
