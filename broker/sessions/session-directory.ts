// Which persistent sessions there are, and since when the client of each is away: how many there may be, and which have lasted long
// enough. A client without subscriptions, messages or exchanges under way leaves no session behind.
import type { BrokerLimits } from '../limits.ts';
import { ownerKey, sessionKey, type AbsenceRecord, type SessionRecords } from './session-records.ts';
import type { WriteBehind } from './write-behind.ts';

interface Session {
  /** While its client is here. */
  connection: object | undefined;
  /** Those that were let in for it, and are not here yet. */
  readonly coming: Set<object>;
  /** By the session clock. */
  awaySince: number;
  /** Whose it is; `undefined`: an anonymous client's. Storage knows it. */
  owner: string | undefined;
  /** Storage knows that its client is away. */
  isStored: boolean;
}

export interface DirectoryTools {
  readonly writes: WriteBehind;
  /** Milliseconds, as in the records of former processes. */
  readonly elapsed: () => number;
  /** Whether there is anything to keep for the client. */
  readonly holds: (client: string) => boolean;
}

export class SessionDirectory {
  readonly #limit: number;
  readonly #tools: DirectoryTools;
  readonly #sessions = new Map<string, Session>();
  #expired = 0;

  constructor({ sessions }: Pick<BrokerLimits, 'sessions'>, tools: DirectoryTools) {
    this.#limit = sessions;
    this.#tools = tools;
  }

  get statistics() {
    const away = [...this.#sessions.values()].filter(isAway);
    return {
      sessions: this.#sessions.size,
      sessionsAway: away.length,
      expiredSessions: this.#expired,
    };
  }

  /** Those of a former process, after all that they held. Whoever was connected when that ended is away since this one began. */
  restore({ absences, subscriptions, queued, incoming, owners }: SessionRecords): void {
    const now = this.#tools.elapsed();
    for (const { client, awaySince } of absences) {
      if (this.#tools.holds(client)) this.#restore(client, { awaySince: Math.min(awaySince, now), isStored: true });
      else this.#tools.writes.remove(sessionKey(client));
    }
    for (const { client } of [...subscriptions, ...queued, ...incoming])
      if (!this.#sessions.has(client) && this.#tools.holds(client))
        this.#restore(client, { awaySince: now, isStored: false });
    for (const { client, user } of owners) {
      const session = this.#sessions.get(client);
      if (session === undefined) this.#tools.writes.remove(ownerKey(client));
      else session.owner = user;
    }
  }

  /** Whether the client's session is another user's. */
  isOthers(client: string, user: string | undefined): boolean {
    const owner = this.#sessions.get(client)?.owner;
    return owner !== undefined && owner !== user;
  }

  /**
   * Whether there is room for the client's session. One that exists always has it: what somebody is owed is not given up for a
   * newcomer, who is told at once. The place is held, and its session does not expire, until the connection comes or gives up.
   */
  admits(client: string, connection: object): boolean {
    const session = this.#sessions.get(client);
    if (session === undefined && this.#sessions.size >= this.#limit) return false;
    if (session !== undefined) session.coming.add(connection);
    else this.#enter(client, { connection: undefined, coming: new Set([connection]) });
    return true;
  }

  /** The connection will not come any more, or has come. */
  giveUp(client: string, connection: object): void {
    const session = this.#sessions.get(client);
    if (session?.coming.delete(connection) !== true || !isAway(session)) return;
    if (!this.#tools.holds(client)) this.end(client);
  }

  come(client: string, connection: object, user?: string): void {
    this.#unstore(client);
    const { coming = new Set<object>(), owner } = this.#sessions.get(client) ?? {};
    coming.delete(connection);
    this.#enter(client, { connection, coming, owner: user ?? owner });
    if (user !== undefined && user !== owner) this.#tools.writes.put(ownerKey(client), () => user);
  }

  leave(client: string, connection: object): void {
    const session = this.#sessions.get(client);
    if (session?.connection !== connection) return;
    session.connection = undefined;
    session.awaySince = this.#tools.elapsed();
    if (!this.#tools.holds(client)) this.end(client);
  }

  /** Whoever is coming in for it begins another, in its place. */
  end(client: string): void {
    this.#unstore(client);
    const { coming, owner } = this.#sessions.get(client) ?? {};
    this.#sessions.delete(client);
    if (owner !== undefined) this.#tools.writes.remove(ownerKey(client));
    if (coming !== undefined && coming.size > 0) this.#enter(client, { connection: undefined, coming });
  }

  /** Puts into storage who is away by now; most come back before it is worth a write. False when nobody is. */
  keep(): boolean {
    let isAnybodyAway = false;
    for (const [client, session] of this.#sessions) {
      if (!isAway(session)) continue;
      isAnybodyAway = true;
      if (session.isStored) continue;
      session.isStored = true;
      const record: AbsenceRecord = { awaySince: session.awaySince };
      this.#tools.writes.put(sessionKey(client), () => JSON.stringify(record));
    }
    return isAnybodyAway;
  }

  /** Those whose client has been away for that long. */
  expired(age: number): string[] {
    return [...this.#sessions.keys()].filter((client) => this.#hasExpired(client, age));
  }

  /** Ends the session in this turn, and counts it, where its client has been away for that long and is not coming. */
  expire(client: string, age: number): boolean {
    if (!this.#hasExpired(client, age)) return false;
    this.#expired += 1;
    this.end(client);
    return true;
  }

  #hasExpired(client: string, age: number): boolean {
    const session = this.#sessions.get(client);
    return session !== undefined && isAway(session) && session.awaySince <= this.#tools.elapsed() - age;
  }

  #enter(client: string, who: Pick<Session, 'connection' | 'coming'> & Partial<Pick<Session, 'owner'>>): void {
    this.#sessions.set(client, { owner: undefined, ...who, awaySince: this.#tools.elapsed(), isStored: false });
  }

  #restore(client: string, since: Pick<Session, 'awaySince' | 'isStored'>): void {
    this.#sessions.set(client, { connection: undefined, coming: new Set(), owner: undefined, ...since });
  }

  #unstore(client: string): void {
    if (this.#sessions.get(client)?.isStored === true) this.#tools.writes.remove(sessionKey(client));
  }
}

const isAway = ({ connection, coming }: Session): boolean => connection === undefined && coming.size === 0;
