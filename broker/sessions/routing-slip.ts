// What of a publication must be on disk before it is acknowledged: what sessions and retained topics are to get of it, the exchange
// of QoS 2 that it begins, and that the will is said which it is.
import type { IncomingPacket } from './incoming-packets.ts';
import { JournalPage } from './journal-page.ts';
import type { KeptMessage, MessageShelf } from './message-shelf.ts';
import { isOwnTopic } from './retained-messages.ts';
import { incomingKey, isPaged, journalKey, messageKey, pageKey } from './session-records.ts';
import type { SessionChange, SessionChanges } from './session-storage.ts';
import { encodeMessage } from './stored-message.ts';
import type { WriteBehind } from './write-behind.ts';

/** Who publishes; Aedes' client is one. */
export interface Publisher {
  readonly id: string;
  readonly clean: boolean;
  readonly closed?: boolean;
  /** It ended before, perhaps with a former process; what it publishes is its will, whose record goes in the same commit. */
  readonly leftWill?: string;
}

/** What Aedes routes at most; it tells so of a will only when it is published. */
const MOST_LEVELS = 100;

export interface SlipTools {
  /** Whether a session keeps what is published to the topic. */
  readonly interest: (topic: string) => boolean;
  readonly shelf: MessageShelf;
  readonly writes: WriteBehind;
}

export class RoutingSlip {
  readonly client: Publisher;
  readonly packet: IncomingPacket;
  readonly #tools: SlipTools;
  /** Whether a commit has taken it along. */
  wasAsked = false;
  isJournalled = false;
  /** Acknowledged, and not routed yet. */
  isOpen = false;
  message: KeptMessage | undefined;
  /** Where its message is written, if not in records of its own. */
  page: JournalPage | undefined;
  /** The record of the QoS 2 exchange that it begins; `undefined` where none is stored. */
  readonly exchange: string | undefined;
  readonly #will: string | undefined;

  /** @param will the record that holds the publication until it is kept, where it is a will */
  constructor(client: Publisher, packet: IncomingPacket, tools: SlipTools, will: string | undefined) {
    this.client = client;
    this.packet = packet;
    this.#will = will;
    const { qos, messageId } = packet;
    this.exchange =
      qos === 2 && messageId !== undefined && !client.clean ? incomingKey(client.id, messageId) : undefined;
    this.#tools = tools;
  }

  /** Cheap where nobody is concerned, and then `undefined`. To be asked where the commit is built; may be asked again. */
  changes(): SessionChanges | undefined {
    this.wasAsked = true;
    return this.isWanted() || this.#will !== undefined ? changesOf([this]) : undefined;
  }

  isWanted(): boolean {
    const { topic, retain } = this.packet;
    const isHeld = (retain === true && !isOwnTopic(topic)) || this.#tools.interest(topic);
    this.isJournalled = isHeld && hasLevels(topic, MOST_LEVELS);
    return this.isJournalled || this.exchange !== undefined || this.client.leftWill !== undefined;
  }

  /** What it adds to a commit, its message perhaps on this page of it. */
  stage(changes: SessionChange[], page: JournalPage): void {
    this.wasAsked = true;
    const isWanted = this.isWanted();
    if (this.#will !== undefined) changes.push([this.#will, undefined]);
    if (!isWanted) return;
    if (this.isJournalled) this.#stageMessage(changes, page);
    if (this.exchange === undefined) return;
    this.#tools.writes.forget(this.exchange);
    changes.push([this.exchange, '1']);
  }

  #stageMessage(changes: SessionChange[], page: JournalPage): void {
    const message = (this.message ??= this.#tools.shelf.create(this.packet));
    if (isPaged(message)) {
      this.page = page;
      page.add(message);
    } else changes.push([messageKey(message.n), encodeMessage(message)], [journalKey(message.n), '1']);
  }
}

/** Of one commit, which is being built. */
export function changesOf(slips: readonly RoutingSlip[]): SessionChange[] {
  const changes: SessionChange[] = [];
  let page = new JournalPage();
  const close = (): void => {
    if (page.n > 0) changes.push([pageKey(page.n), page.encode()]);
    page = new JournalPage();
  };
  for (const slip of slips) {
    slip.stage(changes, page);
    if (page.isFull) close();
  }
  close();
  return changes;
}

function hasLevels(topic: string, most: number): boolean {
  let levels = 1;
  for (let at = topic.indexOf('/'); at >= 0 && levels <= most; at = topic.indexOf('/', at + 1)) levels += 1;
  return levels <= most;
}
