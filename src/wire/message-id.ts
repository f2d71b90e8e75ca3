// Names of messages in a chain, and of the places that other stores had reached there.
import type { Enlisted } from '../model/lineage.ts';

/**
 * `Nats-Msg-Id` of a message: the store incarnation and outbox sequence of the newest fact in it. Sequences of one store only
 * grow, also across incarnations, so this names everything of the chain up to and including that fact.
 */
export type MessageId = Enlisted;

/** Lists the newest messages of other stores that stand before this one in its chain; absent where there are none. */
export const BEFORE_HEADER = 'Skerry-Before';

export function formatMessageId(id: MessageId): string {
  return `${id.incarnation}.${id.sequence}`;
}

export function parseMessageId(text: string): MessageId | undefined {
  const match = /^([A-Za-z0-9]+)\.(\d+)$/.exec(text);
  return match?.[1] === undefined ? undefined : { incarnation: match[1], sequence: Number(match[2]) };
}

export function formatMessageIds(ids: readonly MessageId[]): string {
  return ids.map(formatMessageId).join(' ');
}

/** What is no message id is left out. */
export function parseMessageIds(text: string): readonly MessageId[] {
  return text.split(' ').flatMap((one) => parseMessageId(one) ?? []);
}
