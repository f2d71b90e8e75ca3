// Whether what a publication changed fits one message of the stream. A fact that does not would be refused by the server each time
// it is sent, and nothing behind it on its chain would ever arrive: so it is refused here, before anything is stored. Pure.
import type { Change, MessageChange } from '../../model/fact.ts';
import type { Twin } from '../../model/twin.ts';
import { MAX_MESSAGE_BYTES } from '../../wire/limits.ts';
import { encodeFact, type Stamp } from '../../wire/device-events.ts';

/** Room for the message's headers, and for the gaps that compaction may name in a fact. */
export const LARGEST_FACT = MAX_MESSAGE_BYTES - 16 * 1024;
/** What an event holds besides the texts that clients choose, generously. */
const AROUND_A_CHANGE = 2048;
/** JSON text travels as it is, in UTF-8. */
const MOST_BYTES_OF_JSON = 3;
/** JSON writes a control character in six bytes. */
const MOST_BYTES_PER_CHARACTER = 6;

/** Whose fact it is. */
export interface Teller {
  readonly node: string;
  readonly twin: Pick<Twin, 'namespace' | 'name' | 'uid' | 'binding'>;
  readonly eventId: string;
}

/** No stamp of the node is longer when the fact is sent: each event of a fact carries it. */
const longestStamp = (node: string): Stamp => ({
  node,
  id: `${'x'.repeat(32)}.${Number.MAX_SAFE_INTEGER}`,
  term: Number.MAX_SAFE_INTEGER,
  historical: true,
});

/** A sentence for the sender, or `undefined` when each list of changes fits a message. */
export function tooLargeToSend(teller: Teller, facts: readonly (readonly Change[])[]): string | undefined {
  for (const changes of facts) {
    const size = sizeAbove(teller, changes);
    if (size !== undefined)
      return `the update needs ${size} bytes in the stream, where a message holds ${LARGEST_FACT}; report less at once`;
  }
  return undefined;
}

/** The same for what is passed on as it came. */
export function tooLargeToUpload(change: MessageChange): string | undefined {
  const { topic, payload } = change;
  const length = 'json' in payload ? payload.json.length * MOST_BYTES_OF_JSON : payload.base64.length;
  if (topic.length * MOST_BYTES_PER_CHARACTER + length + AROUND_A_CHANGE <= LARGEST_FACT) return undefined;
  const size = Buffer.byteLength(encodeFact({ at: 0, changes: [change] }, longestStamp(''))) + AROUND_A_CHANGE;
  if (size <= LARGEST_FACT) return undefined;
  const how = 'json' in payload ? '' : ' (what is not JSON travels as base64, a third longer)';
  return `the message needs ${size} bytes in the stream${how}, where one holds ${LARGEST_FACT}; publish less at once`;
}

/**
 * What nobody can be refused, because nobody asked for it: how overrides ended is left out where there is no room for it. What
 * stands has room, as it was admitted.
 */
export function fittingMessage(teller: Teller, changes: readonly Change[]): readonly Change[] {
  const isShort = !changes.some((change) => change.kind === 'override' && change.ended.length > 0);
  if (isShort || sizeAbove(teller, changes) === undefined) return changes;
  return changes.map((change) => (change.kind === 'override' ? { ...change, ended: [] } : change));
}

/** In bytes, where it is above what a message holds. */
function sizeAbove({ node, twin, eventId }: Teller, changes: readonly Change[]): number | undefined {
  if (mostBytes(changes, eventId) <= LARGEST_FACT) return undefined;
  const { namespace, name, uid, binding } = twin;
  const fact = { device: { namespace, name }, uid, binding, at: 0, changes, eventId };
  const size = Buffer.byteLength(encodeFact(fact, longestStamp(node)));
  return size <= LARGEST_FACT ? undefined : size;
}

/** Never less than the real size, and cheap: almost every update is far below the limit. */
function mostBytes(changes: readonly Change[], eventId: string): number {
  let characters = eventId.length * changes.length;
  for (const change of changes) {
    if (change.kind === 'state') characters += change.state.length;
    else if (change.kind === 'removed') characters += change.property.length;
    else if (change.kind === 'reported' || change.kind === 'observed')
      characters += change.property.length + change.value.length;
    else if (change.kind === 'override')
      for (const { property, value } of [...change.standing, ...change.ended])
        // What is desired instead of one that ended is cut.
        characters += property.length + value.length + AROUND_A_CHANGE;
  }
  return characters * MOST_BYTES_PER_CHARACTER + changes.length * AROUND_A_CHANGE;
}
