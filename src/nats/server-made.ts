// Messages that a server made, and somebody had it write where they may not (ADR 0034): whoever asks a server something names the
// subject of the answer, and no right is checked there. Such an answer cannot hide what it is. Pure.
import { asInteger, asObject, asString, parseJson } from '../wire/json.ts';

export interface ServerMade {
  /** The subject of the message that was handed out, or the place of the one that was confirmed. */
  readonly from: string;
}

interface Seen {
  readonly data: Uint8Array;
  /** All values of a header, in their order. */
  values(name: string): readonly string[];
}

const ADDED = 'Nats-Stream';
/** What a server says to a publish is shorter. */
const LONGEST_RECEIPT = 512;
const BRACE = 0x7b;

/** Of a message as it stands in a stream, or came on a subject. */
export function serverMade(message: Seen): ServerMade | undefined {
  return message.values(ADDED).length > 0 ? handedOut(message) : receipt(message.data);
}

/** Of a message that the server has just handed out to us, and added its headers to: a second time, if they were there before. */
export function serverMadeBefore(message: Seen): ServerMade | undefined {
  return message.values(ADDED).length > 1 ? handedOut(message) : receipt(message.data);
}

/** A server adds at the end: the first is the oldest. */
const handedOut = (message: Seen): ServerMade => ({ from: message.values('Nats-Subject')[0] ?? 'unknown' });

function receipt(data: Uint8Array): ServerMade | undefined {
  // Batches of events begin with a bracket: each is asked about, and none need be read for it.
  if (data[0] !== BRACE || data.byteLength > LONGEST_RECEIPT) return undefined;
  const body = asObject(parseJson(data));
  const [stream, sequence] = [asString(body?.['stream']), asInteger(body?.['seq'])];
  return stream === undefined || sequence === undefined ? undefined : { from: `message ${sequence} of ${stream}` };
}
