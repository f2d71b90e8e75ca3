// Up to where a consumer is through with its stream, in a form that can be held against the stream: the place of a message, and
// when the stream stored it. A server that loses its disk's newest writes may put other messages into the same places; the times
// tell. An older checkpoint is as true as a newer one, so one that is lost with such a disk costs a replay and nothing else. Pure.
import { seconds } from '../kit/units.ts';
import { asInteger, asObject, asString, parseJson } from '../wire/json.ts';

/** Every message up to and including this one is settled. */
export interface Checkpoint {
  readonly sequence: number;
  /** As the server wrote it. */
  readonly timestamp: string;
}

export type Start =
  | { readonly kind: 'beginning' }
  | { readonly kind: 'after'; readonly sequence: number }
  | { readonly kind: 'since'; readonly time: string };

/** What a consumer left behind. */
export interface Predecessor {
  readonly checkpoint: Checkpoint | undefined;
  /** Where it began itself. */
  readonly began: Start;
}

export interface StreamRange {
  readonly first: number;
  readonly last: number;
}

/** Twice what a server may lose that syncs its disk every two minutes, and then some. */
const REWIND = seconds(600);

export const encodeCheckpoint = ({ sequence, timestamp }: Checkpoint): string =>
  JSON.stringify({ sequence, timestamp });

export function decodeCheckpoint(text: string): Checkpoint | undefined {
  const raw = asObject(parseJson(Buffer.from(text))) ?? {};
  const [sequence, timestamp] = [asInteger(raw['sequence']), asString(raw['timestamp'])];
  if (sequence === undefined || timestamp === undefined || Number.isNaN(Date.parse(timestamp))) return undefined;
  return { sequence, timestamp };
}

/**
 * Where its successor begins. `stored` is the time of the message that is in the checkpoint's place now, `undefined` when there
 * is none. What is settled is skipped only while the stream shows that it is still the same.
 */
export function startAfter(
  { checkpoint, began }: Predecessor,
  stream: StreamRange,
  stored: string | undefined,
): Start | { readonly kind: 'lost-tail'; readonly time: string } {
  if (checkpoint === undefined) return began;
  const { sequence, timestamp } = checkpoint;
  const wasEvicted = sequence < stream.first && sequence <= stream.last;
  if (wasEvicted || stored === timestamp) return { kind: 'after', sequence };
  const time = new Date(Date.parse(timestamp) - REWIND).toISOString();
  const wasReplaced = sequence <= stream.last && stored === undefined;
  return { kind: wasReplaced ? 'since' : 'lost-tail', time };
}
