// Last wills of connected clients, in storage so that those of a killed process can still be published: Aedes says them when a
// connection ends, and the broker those that a former process left.
import { willKey, encodeWill, type StoredWill } from './session-records.ts';
import type { WriteBehind } from './write-behind.ts';

export interface Will {
  readonly topic: string;
  readonly payload: string | Buffer;
  readonly qos: 0 | 1 | 2;
  readonly retain: boolean;
  brokerId?: string;
  clientId?: string;
}

/** The part of Aedes that tells whose a will is. */
interface Owner {
  readonly id: string;
  readonly clients?: Readonly<Record<string, { readonly closed: boolean; readonly will?: unknown } | undefined>>;
}

export class Wills {
  readonly #writes: WriteBehind;
  readonly #wills = new Map<string, Will>();
  #owner: Owner = { id: '' };

  constructor(tools: { readonly writes: WriteBehind }) {
    this.#writes = tools.writes;
  }

  serve(owner: Owner): void {
    this.#owner = owner;
  }

  restore(will: StoredWill): void {
    this.#wills.set(will.clientId, { ...will });
  }

  get(client: string): Will | undefined {
    return this.#wills.get(client);
  }

  put(client: string, will: Will): Promise<void> {
    will.brokerId = this.#owner.id;
    will.clientId = client;
    this.#wills.set(client, will);
    const { topic, payload, qos, retain, brokerId } = will;
    const stored = { topic, payload: Buffer.from(payload), qos, retain, clientId: client, brokerId };
    this.#writes.put(willKey(client), () => encodeWill(stored));
    return this.#writes.written();
  }

  /** Not that of a connection that has taken the session over: Aedes asks for the end of its predecessor's. */
  remove(client: string): Will | undefined {
    const will = this.#wills.get(client);
    const live = this.#owner.clients?.[client];
    if (will === undefined || (live?.closed === false && live.will === will)) return undefined;
    this.#wills.delete(client);
    this.#writes.remove(willKey(client));
    return will;
  }

  /** Those that brokers other than these took in. */
  *ofOthers(brokers: Readonly<Record<string, unknown>>): Generator<Will> {
    for (const will of this.#wills.values()) if (brokers[will.brokerId ?? ''] === undefined) yield will;
  }
}
