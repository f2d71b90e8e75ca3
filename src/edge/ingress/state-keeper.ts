// What the node itself notices of a device, into its twin: one commit with the fact, as if the device had said it.
import type { Clock } from '../../kit/clock.ts';
import type { DeviceId } from '../../model/device.ts';
import { applyObservation, type Observation } from '../../model/state-rules.ts';
import type { Outbox } from '../outbox/outbox.ts';
import type { Store } from '../store/store.ts';
import type { DeviceAnswers } from './device-answers.ts';
import type { FactKeeper } from './fact-keeper.ts';

export interface StateKeeperTools {
  readonly store: Store;
  readonly outbox: Pick<Outbox, 'room'>;
  readonly answers: Pick<DeviceAnswers, 'stateUpdated'>;
  readonly clock: Clock;
}

export class StateKeeper {
  readonly #facts: FactKeeper;
  readonly #tools: StateKeeperTools;

  constructor(facts: FactKeeper, tools: StateKeeperTools) {
    this.#facts = facts;
    this.#tools = tools;
  }

  /** Judged in the transaction, so behind everything that was admitted before. Rejects where the outbox or the disk is full. */
  async keep(device: DeviceId, observation: Observation): Promise<void> {
    const { store, outbox, answers, clock } = this.#tools;
    const room = outbox.room();
    if (room !== undefined) await room;
    await store.commit((tx) => {
      const found = this.#facts.deviceIn(tx, device);
      if (found === undefined) return;
      const now = clock.now();
      const { twin, changes } = applyObservation(found.twin, observation, now);
      if (twin === found.twin) return;
      this.#facts.keep(tx, { twin, told: { event: changes }, eventId: '', trace: undefined, at: now });
      if (changes.length > 0) tx.afterCommit(() => answers.stateUpdated(twin));
    });
  }
}
