// Whether what a publication changed fits one message of the stream. A fact that does not would be refused by the server each time
// it is sent, and nothing behind it on its chain would ever arrive: so it is refused here, before anything is stored. Pure.
import type { Change, MessageChange } from '../../model/fact.ts';
import type { Twin } from '../../model/twin.ts';
import { MAX_MESSAGE_BYTES } from '../../wire/limits.ts';
import { encodeFact } from '../../wire/device-events.ts';

/** Room for the message's headers, and for ids and counters that are longer when the fact is sent. */
const LARGEST_FACT = MAX_MESSAGE_BYTES - 16 * 1024;
/** What an event holds besides the texts that clients choose, generously. */
const AROUND_A_CHANGE = 2048;
/** JSON text travels as it is, in UTF-8. */
const MOST_BYTES_OF_JSON = 3;
/** JSON writes a control character in six bytes. */
const MOST_BYTES_PER_CHARACTER = 6;

const LONGEST_STAMP = { node: '', id: '', term: 0, historical: true } as const;

/** A sentence for the sender, or `undefined` when each list of changes fits a message. */
export function tooLargeToSend(twin: Twin, facts: readonly (readonly Change[])[], eventId: string): string | undefined {
  for (const changes of facts) {
    const tooLarge = tooLargeFact(twin, changes, eventId);
    if (tooLarge !== undefined) return tooLarge;
  }
  return undefined;
}

/** The same for what is passed on as it came. */
export function tooLargeToUpload(change: MessageChange): string | undefined {
  const { topic, payload } = change;
  const length = 'json' in payload ? payload.json.length * MOST_BYTES_OF_JSON : payload.base64.length;
  if (topic.length * MOST_BYTES_PER_CHARACTER + length + AROUND_A_CHANGE <= LARGEST_FACT) return undefined;
  const size = Buffer.byteLength(encodeFact({ at: 0, changes: [change] }, LONGEST_STAMP)) + AROUND_A_CHANGE;
  if (size <= LARGEST_FACT) return undefined;
  const how = 'json' in payload ? '' : ' (what is not JSON travels as base64, a third longer)';
  return `the message needs ${size} bytes in the stream${how}, where one holds ${LARGEST_FACT}; publish less at once`;
}

function tooLargeFact(twin: Twin, changes: readonly Change[], eventId: string): string | undefined {
  if (mostBytes(changes, eventId) <= LARGEST_FACT) return undefined;
  const { namespace, name, uid, binding } = twin;
  const fact = { device: { namespace, name }, uid, binding, at: 0, changes, eventId };
  const size = Buffer.byteLength(encodeFact(fact, LONGEST_STAMP));
  if (size <= LARGEST_FACT) return undefined;
  return `the update needs ${size} bytes in the stream, where a message holds ${LARGEST_FACT}; report less at once`;
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
        characters += property.length + value.length + AROUND_A_CHANGE;
  }
  return characters * MOST_BYTES_PER_CHARACTER + changes.length * AROUND_A_CHANGE;
}
