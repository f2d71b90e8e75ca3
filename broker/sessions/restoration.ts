// What a former process left: read into memory, and routed where it was journalled and not routed, before anybody can connect.
import type { Audience } from '../audience.ts';
import { retainedPacket, type Destinations } from './destinations.ts';
import type { IncomingPackets } from './incoming-packets.ts';
import type { KeptMessage, MessageShelf } from './message-shelf.ts';
import type { OutgoingQueues } from './outgoing-queues.ts';
import type { RetainedMessages } from './retained-messages.ts';
import type { RoutingJournal } from './routing-journal.ts';
import type { SessionDirectory } from './session-directory.ts';
import { journalKey, pageKey, queueKey, retainedKey, type SessionRecords } from './session-records.ts';
import type { SubscriptionLimits } from './subscription-limits.ts';
import type { Wills } from './wills.ts';
import type { WriteBehind } from './write-behind.ts';

export interface RestorationTools {
  readonly writes: WriteBehind;
  readonly shelf: MessageShelf;
  readonly journal: RoutingJournal;
  readonly queues: OutgoingQueues;
  readonly incoming: IncomingPackets;
  readonly retained: RetainedMessages;
  readonly wills: Wills;
  readonly audience: Audience;
  readonly directory: SessionDirectory;
  readonly subscriptions: SubscriptionLimits;
  readonly destinations: Destinations;
}

interface Holder {
  readonly n: number;
  /** Of its record. */
  readonly key: string;
  readonly take: (message: KeptMessage) => void;
}

export function restoreSessions(records: SessionRecords, tools: RestorationTools): void {
  const { shelf, wills, incoming, writes, directory } = tools;
  const messages = restoreMessages(records, shelf);
  for (const will of records.wills) wills.restore(will);
  for (const { client, messageId } of records.incoming) incoming.add(client, messageId, true);
  restoreSubscriptions(records, tools);
  for (const { n, key, take } of holders(records, tools)) {
    const message = messages.get(n);
    if (message === undefined) writes.remove(key);
    else take(message);
  }
  for (const message of messages.values()) if (message.holders === 0) shelf.discard(message);
  for (const page of records.pages) writes.remove(pageKey(page));
  directory.restore(records);
}

function restoreMessages({ messages, paged }: SessionRecords, shelf: MessageShelf): ReadonlyMap<number, KeptMessage> {
  return new Map(Array.from(messages, ([n, stored]) => [n, shelf.restore(n, stored, !paged.has(n))]));
}

function restoreSubscriptions({ subscriptions }: SessionRecords, tools: RestorationTools): void {
  for (const { client, subscription } of subscriptions) {
    tools.audience.keep(client, [subscription]);
    tools.subscriptions.add(client, subscription.topic);
  }
}

/** In the order in which messages were admitted, what was routed before and what is routed now. */
function holders({ queued, retained, journal }: SessionRecords, tools: RestorationTools): Holder[] {
  const all: Holder[] = [
    ...queued.map(({ client, n, state }) => ({
      ...{ n, key: queueKey(client, n) },
      take: (one: KeptMessage) => tools.queues.restore(client, one, state),
    })),
    ...retained.map(({ n, topic }) => ({
      ...{ n, key: retainedKey(topic) },
      take: (one: KeptMessage) => restoreRetained(one, tools),
    })),
    ...journal.map((n) => ({ n, key: journalKey(n), take: (one: KeptMessage) => replay(one, tools) })),
  ];
  return all.sort((a, b) => a.n - b.n);
}

function restoreRetained(message: KeptMessage, { retained, destinations }: RestorationTools): void {
  retained.restore(message);
  destinations.packets.set(retainedPacket(message));
}

function replay(message: KeptMessage, { shelf, journal, audience, destinations }: RestorationTools): void {
  shelf.hold(message);
  if (message.retain) destinations.retain(retainedPacket(message), message);
  destinations.enqueue(audience.kept.matching(message.topic), message);
  journal.replayed(message);
}
