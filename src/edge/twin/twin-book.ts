// What this node believes of each of its devices. The committed twins are held in memory; a change is staged in a transaction,
// seen by the builders after it, and becomes what everybody reads once it is on disk.
import type { DeviceId } from '../../model/device.ts';
import { deviceKey } from '../../model/device.ts';
import type { Twin } from '../../model/twin.ts';
import type { Store } from '../store/store.ts';
import { jsonTable } from '../store/store-layout.ts';
import type { Transaction } from '../store/transaction.ts';
import type { TwinHistory } from './twin-history.ts';

const TWINS = jsonTable<Twin>('twin');

export class TwinBook {
  readonly #committed = new Map<string, Twin>();
  readonly #history: TwinHistory | undefined;

  /** @param history gets every change, in the same commit */
  constructor(history?: TwinHistory) {
    this.#history = history;
  }

  async load(store: Store): Promise<void> {
    this.#committed.clear();
    for await (const [key, twin] of store.all(TWINS)) this.#committed.set(key, twin);
    await this.#history?.load(this.all());
  }

  /** The twin as it is on disk. */
  read(device: DeviceId): Twin | undefined {
    return this.#committed.get(deviceKey(device));
  }

  all(): IterableIterator<Twin> {
    return this.#committed.values();
  }

  /** The twin as the transaction so far leaves it. */
  current(tx: Transaction, device: DeviceId): Twin | undefined {
    const staged = tx.staged(TWINS, deviceKey(device));
    if (staged === 'removed') return undefined;
    return staged ?? this.read(device);
  }

  /** Whether the transaction takes the device away: its definition is gone once the transaction is on disk. */
  isRemoved(tx: Transaction, device: DeviceId): boolean {
    return tx.staged(TWINS, deviceKey(device)) === 'removed';
  }

  change(tx: Transaction, twin: Twin): void {
    const key = deviceKey(twin);
    if (this.#history !== undefined) this.#record(this.#history, tx, twin);
    tx.put(TWINS, key, twin);
    tx.afterCommit(() => this.#committed.set(key, twin));
  }

  remove(tx: Transaction, device: DeviceId): void {
    const key = deviceKey(device);
    const twin = this.current(tx, device);
    if (twin !== undefined) this.#history?.leave(tx, twin);
    tx.remove(TWINS, key);
    tx.afterCommit(() => this.#committed.delete(key));
  }

  #record(history: TwinHistory, tx: Transaction, twin: Twin): void {
    const before = this.current(tx, twin);
    const isOther = before !== undefined && before.uid !== twin.uid;
    if (isOther) history.leave(tx, before);
    history.record(tx, isOther ? undefined : before, twin);
  }
}
