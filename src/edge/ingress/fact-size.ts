// Whether what a publication changed fits one message of the stream. A fact that does not would be refused by the server each time
// it is sent, and nothing behind it on its chain would ever arrive: so it is refused here, before anything is stored. Pure.
import type { Change } from '../../model/fact.ts';
import type { Twin } from '../../model/twin.ts';
import { MAX_MESSAGE_BYTES } from '../../wire/limits.ts';
import { encodeFact } from '../../wire/device-events.ts';

/** Room for the message's headers, and for ids and counters that are longer when the fact is sent. */
const LARGEST_FACT = MAX_MESSAGE_BYTES - 16 * 1024;
/** What an event holds besides the texts that clients choose, generously. */
const AROUND_A_CHANGE = 2048;
/** JSON writes a control character in six bytes. */
const MOST_BYTES_PER_CHARACTER = 6;

/** A sentence for the sender, or `undefined` when each list of changes fits a message. */
export function tooLargeToSend(twin: Twin, facts: readonly (readonly Change[])[], eventId: string): string | undefined {
  for (const changes of facts) {
    const tooLarge = tooLargeFact(twin, changes, eventId);
    if (tooLarge !== undefined) return tooLarge;
  }
  return undefined;
}

function tooLargeFact(twin: Twin, changes: readonly Change[], eventId: string): string | undefined {
  if (mostBytes(changes, eventId) <= LARGEST_FACT) return undefined;
  const { namespace, name, uid, binding } = twin;
  const fact = { device: { namespace, name }, uid, binding, at: 0, changes, eventId };
  const size = Buffer.byteLength(encodeFact(fact, { node: '', id: '', term: 0, historical: true }));
  if (size <= LARGEST_FACT) return undefined;
  return `the update needs ${size} bytes in the stream, where a message holds ${LARGEST_FACT}; report less at once`;
}

/** Never less than the real size, and cheap: almost every update is far below the limit. */
function mostBytes(changes: readonly Change[], eventId: string): number {
  let characters = eventId.length * changes.length;
  for (const change of changes) {
    if (change.kind === 'state') characters += change.state.length;
    else if (change.kind === 'removed') characters += change.property.length;
    else if (change.kind !== 'gap') characters += change.property.length + change.value.length;
  }
  return characters * MOST_BYTES_PER_CHARACTER + changes.length * AROUND_A_CHANGE;
}
