// HTTPS to the hub, one request at a time: what it shows is checked against one CA and nothing else, neither the system's list nor
// another hub's. Everything that can go wrong on the way is translated here.
import { request as httpsRequest, type RequestOptions } from 'node:https';
import { text as textOf } from 'node:stream/consumers';
import type { IncomingMessage } from 'node:http';
import { isPinOf } from '../../kit/ca-pin.ts';
import { codeOf, type SkerryError } from '../../kit/errors.ts';
import { seconds } from '../../kit/units.ts';
import { asObject, asString } from '../../wire/json.ts';
import { decodeJoinRefusal, JOIN_PATHS } from '../../wire/join-messages.ts';
import { identityErrors } from './errors.ts';

const TIMEOUT = seconds(10);
const MOST_BYTES = 64 * 1024;
const BUSY_FROM = 500;
const TOO_MANY_REQUESTS = 429;

const UNTRUSTED = new Set([
  'CERT_SIGNATURE_FAILURE',
  'CERT_UNTRUSTED',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'INVALID_CA',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
]);
const TIMES: Readonly<Record<string, string>> = {
  CERT_HAS_EXPIRED: 'has ended',
  CERT_NOT_YET_VALID: 'is not valid yet',
};
/** Something answers, and does not speak TLS or HTTP. */
const STRANGE = /^(EPROTO|HPE_|ERR_SSL_)/;

/** The CA of the hub, where it is the one that the token names. Rejects with JOIN_HUB_NOT_TRUSTED where it is not. */
export async function fetchCa(hub: string, pin: string, signal: AbortSignal): Promise<string> {
  // Whom this comes from is not known yet: the pin says whether it is what the token means.
  const { status, text } = await exchange(hub, JOIN_PATHS.ca, { rejectUnauthorized: false, method: 'GET', signal });
  if (status !== 200 || !text.includes('BEGIN CERTIFICATE'))
    throw identityErrors.HUB_NOT_UNDERSTOOD({ hub, problem: `status ${status} for ${JOIN_PATHS.ca}` });
  if (isPinOf(pin, text)) return text;
  throw identityErrors.JOIN_HUB_NOT_TRUSTED({ hub, found: 'has another certificate authority than the token is for' });
}

/** Sends to a hub that the CA has signed, or not at all. Rejects with HUB_REFUSED, or with why there is no answer. */
export async function post(
  { hub, ca }: { readonly hub: string; readonly ca: string },
  { path, body }: { readonly path: string; readonly body: object },
  signal: AbortSignal,
): Promise<string> {
  const sent = { method: 'POST', ca, body: JSON.stringify(body), signal };
  const { status, text } = await exchange(hub, path, sent);
  if (status === 200) return text;
  throw refusalIn(hub, status, text);
}

function refusalIn(hub: string, status: number, text: string): SkerryError {
  const refusal = decodeJoinRefusal(text);
  if (refusal === undefined) return identityErrors.HUB_NOT_UNDERSTOOD({ hub, problem: `status ${status}` });
  const { error, message } = refusal;
  if (status >= BUSY_FROM || status === TOO_MANY_REQUESTS) return identityErrors.HUB_BUSY({ hub, reason: message });
  return identityErrors.HUB_REFUSED({ hub, refusal: error, reason: message });
}

type Sent = Pick<RequestOptions, 'method' | 'ca' | 'rejectUnauthorized'> & {
  readonly body?: string;
  readonly signal: AbortSignal;
};

async function exchange(hub: string, path: string, { body, signal, ...options }: Sent) {
  try {
    const patience = AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT)]);
    const answer = await new Promise<IncomingMessage>((resolve, reject) => {
      const headers = body === undefined ? {} : { 'content-type': 'application/json' };
      const request = httpsRequest(new URL(path, hub), { ...options, headers, agent: false, signal: patience });
      request.on('response', resolve).on('error', reject);
      request.end(body);
    });
    return { status: answer.statusCode ?? 0, text: await bounded(hub, answer) };
  } catch (error) {
    signal.throwIfAborted();
    throw translated(hub, error);
  }
}

/** Whoever answers is not known to mean well. */
async function bounded(hub: string, answer: IncomingMessage): Promise<string> {
  let size = 0;
  answer.on('data', (chunk: Buffer) => {
    size += chunk.length;
    if (size > MOST_BYTES) answer.destroy(identityErrors.HUB_NOT_UNDERSTOOD({ hub, problem: 'a long answer' }));
  });
  return textOf(answer);
}

function translated(hub: string, error: unknown): unknown {
  if (identityErrors.HUB_NOT_UNDERSTOOD.is(error)) return error;
  const code = codeOf(error) ?? '';
  const problem = TIMES[code];
  if (UNTRUSTED.has(code)) return identityErrors.HUB_NOT_TRUSTED({ hub }, error);
  if (problem !== undefined)
    return identityErrors.HUB_CERTIFICATE_TIME({ hub, problem, now: new Date().toISOString() }, error);
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID')
    return identityErrors.HUB_NAME_NOT_CERTIFIED({ hub, names: namesIn(error) }, error);
  if (STRANGE.test(code)) return identityErrors.HUB_NOT_UNDERSTOOD({ hub, problem: 'no HTTPS' }, error);
  return identityErrors.HUB_UNREACHABLE({ hub }, error);
}

/** Node hands over the certificate that it did not accept. */
function namesIn(error: unknown): string {
  const names = asString(asObject(asObject(error)?.['cert'])?.['subjectaltname']) ?? 'no name';
  return names.replaceAll(/(DNS|IP Address):/g, '');
}
