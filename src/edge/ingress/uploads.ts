// Publications for programs in the cloud: kept as they came, in the chain of their device or of the node, before they are
// acknowledged. Nothing in them is understood here.
import type { Publication } from '../../../broker/index.ts';
import type { Clock } from '../../kit/clock.ts';
import type { DeviceId } from '../../model/device.ts';
import type { Fact } from '../../model/fact.ts';
import { carriedPayload } from '../../wire/carried-payload.ts';
import type { DeviceClass } from '../../wire/nats-subjects.ts';
import type { Outbox } from '../outbox/outbox.ts';
import type { Store } from '../store/store.ts';
import type { Transaction } from '../store/transaction.ts';
import { commitWith } from './commit-with.ts';
import type { FactKeeper } from './fact-keeper.ts';
import { tooLargeToUpload } from './fact-size.ts';
import { clientRing, traceOf, type RedeliveryRecords } from './redelivery.ts';
import { NO_ANSWER, uploadRefusalsOf, type Outcome } from './refusal.ts';

export interface UploadsConfig {
  readonly node: string;
  /** Of what is told of no device. */
  readonly chain: string;
}

export interface UploadsTools {
  readonly store: Store;
  readonly outbox: Pick<Outbox, 'enlist'>;
  readonly seen: RedeliveryRecords;
  readonly chainOf: (chainClass: DeviceClass, device: DeviceId) => string;
  readonly clock: Clock;
}

export class Uploads {
  readonly #config: UploadsConfig;
  readonly #facts: FactKeeper;
  readonly #tools: UploadsTools;

  constructor(config: UploadsConfig, facts: FactKeeper, tools: UploadsTools) {
    this.#config = config;
    this.#facts = facts;
    this.#tools = tools;
  }

  async take(device: DeviceId | undefined, publication: Publication): Promise<Outcome> {
    const { store, seen } = this.#tools;
    const { topic, clientId, duplicate } = publication;
    const change = { kind: 'message', topic, payload: carriedPayload(publication.payload) } as const;
    const tooLarge = tooLargeToUpload(change);
    if (tooLarge !== undefined) return uploadRefusalsOf(this.#config.node, device, publication)('', 'size', tooLarge);
    const ring = clientRing(clientId);
    const trace = traceOf(publication, '', topic);
    await seen.prepare(store, ring);
    return commitWith(publication, store, (tx): Outcome => {
      if (seen.isRedelivered(ring, trace, duplicate)) return NO_ANSWER;
      if (trace !== '') seen.remember(tx, ring, trace);
      this.#enlist(tx, device, { at: this.#tools.clock.now(), changes: [change] });
      return NO_ANSWER;
    });
  }

  /** A device that this node does not know is nobody's: its data is the node's. */
  #enlist(tx: Transaction, address: DeviceId | undefined, fact: Fact): void {
    const { outbox, chainOf } = this.#tools;
    const known = address === undefined ? undefined : this.#facts.deviceIn(tx, address);
    if (known === undefined) {
      outbox.enlist(tx, this.#config.chain, fact);
      return;
    }
    const { namespace, name, uid, binding } = known.definition;
    const device = { namespace, name };
    outbox.enlist(tx, chainOf('data', device), { ...fact, device, uid, binding });
  }
}
