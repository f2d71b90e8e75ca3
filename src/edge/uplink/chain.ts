// What the newest message of a chain in the stream means for what is held here. Pure; the heart of "exactly once": the answer
// to every refusal, time-out and reconnect is to look at the stream and go on from what it has (ADR 0004).
import { parseMessageId } from '../../wire/message-id.ts';
import type { ChainPosition } from '../outbox/chain-backlog.ts';

export interface LastMessage {
  readonly sequence: number;
  readonly messageId: string | undefined;
}

export type Resumption =
  /** The stream stands where we believed: publish the oldest waiting facts, expecting this position. */
  | { readonly kind: 'as-believed' }
  /** The stream stands elsewhere: ahead because an acknowledgement was lost, or behind because it lost its tail. */
  | { readonly kind: 'move'; readonly position: ChainPosition };

/** Whether the newest message of a chain is not of this store: then somebody else publishes, or did, under this node's name. */
export function isForeign(last: LastMessage | undefined, isOurs: (incarnation: string) => boolean): boolean {
  if (last === undefined) return false;
  const id = last.messageId === undefined ? undefined : parseMessageId(last.messageId);
  return id === undefined || !isOurs(id.incarnation);
}

/** @param isOurs whether an incarnation is one of this store's own starts. Only called by the holder of the node's claim. */
export function resume(
  last: LastMessage | undefined,
  believed: ChainPosition,
  isOurs: (incarnation: string) => boolean,
): Resumption {
  // Nothing there: never published, pushed out by the stream's limits, or lost with the server's unsynced tail. The next one is the
  // subject's first either way. What was acknowledged in the last minutes, and so may be lost, is still held and goes again; what
  // the limits pushed out is older than that and not held any more.
  if (last === undefined) {
    const acknowledged = believed.streamSequence === 0 ? believed.acknowledged : 0;
    return standsAt(believed, { acknowledged, streamSequence: 0 });
  }
  const id = last.messageId === undefined ? undefined : parseMessageId(last.messageId);
  // Another store's last word on this chain: ours begins behind it, with whatever we have not had acknowledged.
  const acknowledged = id !== undefined && isOurs(id.incarnation) ? id.sequence : believed.acknowledged;
  return standsAt(believed, { acknowledged, streamSequence: last.sequence });
}

function standsAt(believed: ChainPosition, found: ChainPosition): Resumption {
  const isSame = believed.acknowledged === found.acknowledged && believed.streamSequence === found.streamSequence;
  return isSame ? { kind: 'as-believed' } : { kind: 'move', position: found };
}
