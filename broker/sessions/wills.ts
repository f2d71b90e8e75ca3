// Last wills of connected clients, in storage so that those of a killed process can still be published: Aedes says them when a
// connection ends, and the broker those that a former process left. One that the gate refuses is late, and kept apart: its client may
// be back with another. Of one client the newest is kept, and it is late only as long as the disk or the outbox is full.
import { encodeWill, lateWillKey, willKey, type StoredWill } from './session-records.ts';
import type { WriteBehind } from './write-behind.ts';

export interface Will {
  readonly topic: string;
  readonly payload: string | Buffer;
  readonly qos: 0 | 1 | 2;
  readonly retain: boolean;
  brokerId?: string;
  clientId?: string;
  /** The record that holds it, of one that is late. */
  readonly record?: string;
}

/** Late ones that are kept: more clients can hardly die while the gate refuses, as no will is taken in then either. */
const MOST_LATE = 10_000;

/** Whose will it is: a connection, or just its name where Aedes asks when it is over. */
export interface Mortal {
  readonly id: string;
  /** Of a connection. */
  readonly closed?: boolean;
}

interface Owed {
  readonly will: Will;
  /** The connections, of one client one after the other, whose wills are not over. The record is that of the last of them. */
  readonly to: readonly Mortal[];
}

export class Wills {
  readonly #writes: WriteBehind;
  readonly #wills = new Map<string, Owed>();
  readonly #late = new Map<string, Will>();
  #broker = '';

  constructor(tools: { readonly writes: WriteBehind }) {
    this.#writes = tools.writes;
  }

  /** The id of the broker that takes them in from here on. */
  serve(broker: string): void {
    this.#broker = broker;
  }

  restore(will: StoredWill, isLate: boolean): void {
    const { clientId } = will;
    if (isLate) this.#late.set(clientId, { ...will, record: lateWillKey(clientId) });
    else this.#wills.set(clientId, { will: { ...will }, to: [] });
  }

  get(client: string): Will | undefined {
    return this.#wills.get(client)?.will;
  }

  put(connection: Mortal, will: Will): Promise<void> {
    const { id } = connection;
    will.brokerId = this.#broker;
    will.clientId = id;
    this.#wills.set(id, { will, to: [...(this.#wills.get(id)?.to ?? []), connection] });
    const stored = storedForm(id, will);
    this.#writes.put(willKey(id), () => encodeWill(stored));
    return this.#writes.written();
  }

  /**
   * Aedes asks so that a connection finds no will of its predecessor, which is owed until it was said; and by name when one is over.
   * After a takeover that is the predecessor's, and the record, which is the successor's, stays.
   */
  remove({ id, closed }: Mortal): Will | undefined {
    const owed = this.#wills.get(id);
    if (owed === undefined || closed !== undefined) return undefined;
    const over = owed.to.find((connection) => connection.closed === true);
    const to = owed.to.filter((connection) => connection !== over);
    if (to.length === 0) this.#forget(id);
    else this.#wills.set(id, { ...owed, to });
    return to.length === 0 ? owed.will : undefined;
  }

  /** The gate could not keep it now: it is to be said later, whatever becomes of its client. */
  postpone(client: string, will: Will): void {
    if (!this.#late.has(client) && this.#late.size >= MOST_LATE) return;
    const stored = storedForm(client, will);
    this.#late.set(client, { ...stored, record: lateWillKey(client) });
    this.#writes.put(lateWillKey(client), () => encodeWill(stored));
    if (this.get(client) === will) this.#forget(client);
  }

  late(): Will[] {
    return [...this.#late.values()];
  }

  /** One that was late. Its client may have left another meanwhile. */
  said(will: Will): void {
    const { clientId = '' } = will;
    if (this.#late.get(clientId) !== will) return;
    this.#late.delete(clientId);
    this.#writes.remove(lateWillKey(clientId));
  }

  /**
   * Those that a former process left, whatever Aedes takes for a broker that is gone: it goes by the time of day, which may be set, and
   * those of this one are said when their connections end.
   */
  *left(): Generator<Will> {
    for (const { will } of this.#wills.values()) if (will.brokerId !== this.#broker) yield will;
  }

  #forget(client: string): void {
    this.#wills.delete(client);
    this.#writes.remove(willKey(client));
  }
}

const storedForm = (client: string, { topic, payload, qos, retain, brokerId = '' }: Will): StoredWill => ({
  ...{ topic, payload: Buffer.from(payload), qos, retain },
  ...{ clientId: client, brokerId },
});
