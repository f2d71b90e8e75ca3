// What ingress writes: twin, facts and the record of the publication, all in the transaction that it is given.
import type { DeviceDefinition, DeviceId } from '../../model/device.ts';
import type { Change } from '../../model/fact.ts';
import { emptyTwin, type Twin } from '../../model/twin.ts';
import { DEVICE_CLASSES, type DeviceClass } from '../../wire/nats-subjects.ts';
import type { Outbox } from '../outbox/outbox.ts';
import type { Transaction } from '../store/transaction.ts';
import type { TwinBook } from '../twin/twin-book.ts';
import { fittingMessage, tooLargeToSend } from './fact-size.ts';
import type { RedeliveryRecords, Trace } from './redelivery.ts';

export interface FactKeeperTools {
  readonly twins: TwinBook;
  readonly outbox: Pick<Outbox, 'enlist'>;
  readonly seen: Pick<RedeliveryRecords, 'remember'>;
  readonly definitionOf: (device: DeviceId) => DeviceDefinition | undefined;
  readonly chainOf: (chainClass: DeviceClass, device: DeviceId) => string;
}

/** What one publication changed: one fact for each class of chain that is to be told anything. */
export interface Kept {
  readonly twin: Twin;
  readonly told: Readonly<Partial<Record<DeviceClass, readonly Change[]>>>;
  readonly eventId: string;
  readonly trace: Trace | undefined;
  /** When it was received. */
  readonly at: number;
}

export class FactKeeper {
  readonly #node: string;
  readonly #tools: FactKeeperTools;

  constructor(node: string, tools: FactKeeperTools) {
    this.#node = node;
    this.#tools = tools;
  }

  /** The device as the transaction so far leaves it; `undefined` for one that is not of this node, or no more. */
  deviceIn(
    tx: Transaction,
    device: DeviceId,
  ): { readonly definition: DeviceDefinition; readonly twin: Twin } | undefined {
    const definition = this.#tools.definitionOf(device);
    if (definition === undefined || this.#tools.twins.isRemoved(tx, device)) return undefined;
    return { definition, twin: this.#tools.twins.current(tx, device) ?? emptyTwin(definition) };
  }

  /** Why no message of the stream could carry one of these lists of changes, as a sentence for who asked for them. */
  tooLarge(twin: Twin, facts: readonly (readonly Change[])[], eventId: string): string | undefined {
    return tooLargeToSend({ node: this.#node, twin, eventId }, facts);
  }

  keep(tx: Transaction, kept: Kept): void {
    const { twin, told, eventId, trace, at } = kept;
    const { namespace, name, uid, binding } = twin;
    const device = { namespace, name };
    this.#tools.twins.change(tx, twin);
    if (trace !== undefined) this.#tools.seen.remember(tx, uid, trace);
    for (const chainClass of DEVICE_CLASSES) {
      const changes = fittingMessage({ node: this.#node, twin, eventId }, told[chainClass] ?? []);
      if (changes.length === 0) continue;
      const fact = { device, uid, binding, at, changes, ...(eventId === '' ? {} : { eventId }) };
      this.#tools.outbox.enlist(tx, this.#tools.chainOf(chainClass, device), fact);
    }
  }
}
