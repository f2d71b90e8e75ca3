/**
 * `Nats-Msg-Id` of a message: the store incarnation and outbox sequence of the newest fact in it. Sequences of one store only
 * grow, also across incarnations, so this names everything of the chain up to and including that fact.
 */
export interface MessageId {
  readonly incarnation: string;
  readonly sequence: number;
}

export function formatMessageId(id: MessageId): string {
  return `${id.incarnation}.${id.sequence}`;
}

export function parseMessageId(text: string): MessageId | undefined {
  const match = /^([A-Za-z0-9]+)\.(\d+)$/.exec(text);
  return match?.[1] === undefined ? undefined : { incarnation: match[1], sequence: Number(match[2]) };
}
