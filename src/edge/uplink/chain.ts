// What the newest message of a chain in the stream means for what is held here. Pure; the heart of "exactly once": the answer
// to every refusal, time-out and reconnect is to look at the stream and go on from what it has (ADR 0004).
import type { Lineage } from '../../model/lineage.ts';
import type { MessageId } from '../../wire/message-id.ts';
import type { ChainPosition } from '../outbox/chain-backlog.ts';

export interface LastMessage {
  readonly sequence: number;
  /** `undefined` when it is not of any store. */
  readonly id: MessageId | undefined;
  /** How far other stores than its own had come in this chain, as its publisher had found it. */
  readonly before: readonly MessageId[];
}

/** Where a chain stands, and what the next message is to say of others in it. */
export interface Resumption {
  readonly position: ChainPosition;
  readonly before: readonly MessageId[];
}

/** Others that a message names. More of them in one chain would be more copies of one disk than anybody repairs. */
const MOST_OTHERS = 8;

/** Whether the newest message of a chain is not of this store: then somebody else publishes, or did, under this node's name. */
export function isForeign(last: LastMessage | undefined, lineage: Lineage): boolean {
  return last !== undefined && (last.id === undefined || !lineage.isOurs(last.id));
}

/** What this store knows of a chain besides what stands in it. */
export interface Belief {
  readonly position: ChainPosition;
  /** Through which fact the server has said, over this very connection, that it knew them already. */
  readonly confirmed: number;
}

/** Only called by the holder of the node's claim. */
export function resume(
  last: LastMessage | undefined,
  { position: believed, confirmed }: Belief,
  lineage: Lineage,
): Resumption {
  // Nothing there: never published, pushed out by the stream's limits, or lost with the server's unsynced tail. The next one is the
  // subject's first either way. What was acknowledged in the last minutes, and so may be lost, is still held and goes again, unless
  // the server has just said that it had it; what the limits pushed out is most often older than that and not held any more.
  if (last === undefined) {
    const acknowledged = Math.max(confirmed, believed.streamSequence === 0 ? believed.acknowledged : 0);
    return { position: { acknowledged, streamSequence: 0 }, before: [] };
  }
  const ids = last.id === undefined ? last.before : [...last.before, last.id];
  return {
    position: {
      acknowledged: Math.max(confirmed, acknowledgedBy(last, believed, lineage)),
      streamSequence: last.sequence,
    },
    before: othersIn(ids, lineage),
  };
}

/**
 * Only the stream is believed, not what this store remembers of it: everybody names there what stood in the chain before, so that
 * whose words are not named are not there, or not any more. A message of nobody's tells nothing, and does not change the belief.
 */
function acknowledgedBy(last: LastMessage, believed: ChainPosition, lineage: Lineage): number {
  if (last.id === undefined) return last.sequence >= believed.streamSequence ? believed.acknowledged : 0;
  return Math.max(0, ...[...last.before, last.id].map((id) => lineage.sharedThrough(id) ?? 0));
}

/** Those found last in the end; not ours, which our next message stands for, nor what a later one of the same store includes. */
function othersIn(ids: readonly MessageId[], lineage: Lineage): readonly MessageId[] {
  let others: readonly MessageId[] = [];
  for (const id of ids) {
    if (lineage.isOurs(id) || others.some((other) => lineage.includes(other, id))) continue;
    others = [...others.filter((other) => !lineage.includes(id, other)), id];
  }
  return others.slice(-MOST_OTHERS);
}
