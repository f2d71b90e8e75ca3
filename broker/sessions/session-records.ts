// How sessions, retained messages, wills and the routing journal look in storage: keys and forms, and how they are read back. A
// message is written once, whoever holds it: the journal until it is routed, queues, a topic that retains it. Pure.

import { messageOf } from '../../src/kit/errors.ts';
import type { AgeState } from '../../src/kit/age-clock.ts';
import { decodePage } from './journal-page.ts';
import { decodeMessage, type StoredMessage } from './stored-message.ts';

export interface WillAuthor {
  readonly user: string;
  readonly isCertified: boolean;
}

export interface StoredWill {
  readonly topic: string;
  readonly payload: Buffer;
  readonly qos: 0 | 1 | 2;
  readonly retain: boolean;
  readonly clientId: string;
  readonly brokerId: string;
  readonly author?: WillAuthor;
}

/** One that a former process took in, and did not say. */
export interface LeftWill extends StoredWill {
  /** Its key. */
  readonly record: string;
}

/** That the client of a session is away, since that time of the session clock. */
export interface AbsenceRecord {
  readonly awaySince: number;
}

/** Where a queued message stands with its subscriber. */
export interface QueueState {
  readonly qos: 0 | 1 | 2;
  readonly messageId?: number;
  /** The subscriber of a QoS 2 message has it; what is left to say is PUBREL. */
  readonly isReleased?: true;
  /** A new subscription was told of it: it is sent with RETAIN (MQTT-3.3.1-8), each time. */
  readonly isRetained?: boolean;
}

export interface SubscriptionRecord {
  readonly topic: string;
  readonly qos: 0 | 1 | 2;
}

/**
 * Whether such a message is journalled on a page. Not one that is retained before it is routed to sessions; nor one of QoS 2, which
 * must not come twice even if the record of its queue was lost: they have a record of their own, and an entry beside it.
 */
export const isPaged = ({ qos, retain }: Pick<StoredMessage, 'qos' | 'retain'>): boolean => qos === 1 && !retain;

/** Everything that storage held, in the order of its numbers. */
export interface SessionRecords {
  readonly messages: ReadonlyMap<number, StoredMessage>;
  readonly journal: readonly number[];
  /** By the number of their first message; what is on them is among the messages and, where nobody holds it, in the journal. */
  readonly pages: readonly number[];
  /** Messages that have no record but a page. */
  readonly paged: ReadonlySet<number>;
  readonly queued: readonly { readonly client: string; readonly n: number; readonly state: QueueState }[];
  readonly incoming: readonly { readonly client: string; readonly messageId: number }[];
  readonly retained: readonly { readonly topic: string; readonly n: number }[];
  readonly subscriptions: readonly { readonly client: string; readonly subscription: SubscriptionRecord }[];
  readonly wills: readonly LeftWill[];
  readonly absences: readonly (AbsenceRecord & { readonly client: string })[];
  /** The users whose sessions these are; a session that is named by none is an anonymous client's. */
  readonly owners: readonly { readonly client: string; readonly user: string }[];
  readonly clock: AgeState | undefined;
  /** What cannot be read is no reason not to start. */
  readonly unreadable: readonly { readonly key: string; readonly value: string; readonly reason: string }[];
  /** Of former processes. */
  readonly setAside: number;
}

const MESSAGE = 'message/';
const JOURNAL = 'journal/';
const PAGE = 'page/';
const QUEUE = 'queue/';
const INCOMING = 'incoming/';
const RETAINED = 'retained/';
const SUBSCRIPTION = 'subscription/';
const WILL = 'will/';
/** Where the first versions kept those that the gate had refused. */
const LATE_WILL = 'late-will/';
const SESSION = 'session/';
const OWNER = 'owner/';
const SET_ASIDE = 'set-aside/';
export const CLOCK_KEY = 'clock/';

/** Fixed width, so that text order is number order. */
const numbered = (n: number): string => n.toString().padStart(16, '0');
/** Holds no `/`, so that what follows it in a key can be told from it. */
const named = (client: string): string => encodeURIComponent(client);

export const messageKey = (n: number): string => `${MESSAGE}${numbered(n)}`;
export const journalKey = (n: number): string => `${JOURNAL}${numbered(n)}`;
/** Of the first message that is on it. */
export const pageKey = (n: number): string => `${PAGE}${numbered(n)}`;
export const queueKey = (client: string, n: number): string => `${QUEUE}${named(client)}/${numbered(n)}`;
export const incomingKey = (client: string, messageId: number): string => `${INCOMING}${named(client)}/${messageId}`;
export const retainedKey = (topic: string): string => `${RETAINED}${topic}`;
export const subscriptionKey = (client: string, filter: string): string => `${SUBSCRIPTION}${named(client)}/${filter}`;
export const willKey = (client: string, n: number): string => `${WILL}${named(client)}/${numbered(n)}`;
export const sessionKey = (client: string): string => `${SESSION}${named(client)}`;
export const ownerKey = (client: string): string => `${OWNER}${named(client)}`;
/** Where a record goes that cannot be read. */
export const setAsideKey = (key: string): string => `${SET_ASIDE}${key}`;

/** 0 where the first versions wrote it, one for each client. */
export const numberOfWill = (record: string): number => Number(record.split('/')[2]) || 0;

export function encodeWill(will: StoredWill): string {
  return JSON.stringify({ ...will, payload: will.payload.toString('base64') });
}

function decodeWill(encoded: string): StoredWill {
  const { payload, ...rest } = JSON.parse(encoded) as Omit<StoredWill, 'payload'> & { readonly payload: string };
  if (typeof rest.topic !== 'string') throw new Error('it names no topic');
  return { ...rest, payload: Buffer.from(payload, 'base64') };
}

class Reading {
  readonly messages = new Map<number, StoredMessage>();
  readonly journal: number[] = [];
  readonly pages: number[] = [];
  readonly paged = new Set<number>();
  readonly queued: SessionRecords['queued'][number][] = [];
  readonly incoming: SessionRecords['incoming'][number][] = [];
  readonly retained: SessionRecords['retained'][number][] = [];
  readonly subscriptions: SessionRecords['subscriptions'][number][] = [];
  readonly wills: LeftWill[] = [];
  readonly absences: SessionRecords['absences'][number][] = [];
  readonly owners: SessionRecords['owners'][number][] = [];
  readonly unreadable: SessionRecords['unreadable'][number][] = [];
  clock: AgeState | undefined;
  setAside = 0;

  readonly readers: Readonly<Record<string, (rest: string, value: string) => unknown>> = {
    [MESSAGE]: (rest, value) => this.messages.set(numberIn(rest), decodeMessage(value)),
    [JOURNAL]: (rest) => this.journal.push(numberIn(rest)),
    // After all messages that have a record of their own, as keys go.
    [PAGE]: (rest, value) => {
      const page = numberIn(rest);
      for (const { n, topic, payload } of decodePage(value))
        if (!this.messages.has(n)) this.#take(n, { topic, payload, qos: 1, retain: false, dup: false });
      this.pages.push(page);
    },
    [QUEUE]: (rest, value) => {
      const [client, n] = clientAndRest(rest);
      this.queued.push({ client, n: numberIn(n), state: objectIn(value) as QueueState });
    },
    [INCOMING]: (rest) => {
      const [client, messageId] = clientAndRest(rest);
      this.incoming.push({ client, messageId: numberIn(messageId) });
    },
    [RETAINED]: (rest, value) => this.retained.push({ topic: rest, n: numberIn(value) }),
    [SUBSCRIPTION]: (rest, value) => {
      const [client, topic] = clientAndRest(rest);
      const options = objectIn(value) as Omit<SubscriptionRecord, 'topic'>;
      this.subscriptions.push({ client, subscription: { topic, ...options } });
    },
    [WILL]: (rest, value) => this.wills.push({ ...decodeWill(value), record: `${WILL}${rest}` }),
    [LATE_WILL]: (rest, value) => this.wills.push({ ...decodeWill(value), record: `${LATE_WILL}${rest}` }),
    [SESSION]: (rest, value) =>
      this.absences.push({ client: decodeURIComponent(rest), ...(objectIn(value) as AbsenceRecord) }),
    [OWNER]: (rest, user) => this.owners.push({ client: decodeURIComponent(rest), user }),
    [CLOCK_KEY]: (_rest, value) => (this.clock = objectIn(value) as AgeState),
    [SET_ASIDE]: () => (this.setAside += 1),
  };

  #take(n: number, message: StoredMessage): void {
    this.messages.set(n, message);
    this.paged.add(n);
  }
}

export async function readRecords(entries: AsyncIterable<readonly [string, string]>): Promise<SessionRecords> {
  const reading = new Reading();
  for await (const [key, value] of entries) {
    const end = key.indexOf('/') + 1;
    try {
      reading.readers[key.slice(0, end)]?.(key.slice(end), value);
    } catch (error) {
      reading.unreadable.push({ key, value, reason: messageOf(error) });
    }
  }
  reading.journal.push(...unheld(reading));
  return reading;
}

function* unheld({ paged, queued }: Reading): Generator<number> {
  const held = new Set(queued.map(({ n }) => n));
  for (const n of paged) if (!held.has(n)) yield n;
}

function numberIn(text: string): number {
  const number = Number(text);
  if (!Number.isSafeInteger(number)) throw new Error(`${text} is no number`);
  return number;
}

function objectIn(text: string): unknown {
  const value: unknown = JSON.parse(text);
  if (typeof value !== 'object' || value === null) throw new Error('it is no object');
  return value;
}

function clientAndRest(text: string): readonly [client: string, rest: string] {
  const at = text.indexOf('/');
  return [decodeURIComponent(text.slice(0, at)), text.slice(at + 1)];
}
