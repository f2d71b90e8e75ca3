// What somebody at this node wants of a device, or no longer wants, over HTTP: stored like an update that came by MQTT, without its
// acknowledgement.
import type { Clock } from '../../kit/clock.ts';
import { releaseOverride } from '../../model/desired-rules.ts';
import type { DeviceDefinition, DeviceId } from '../../model/device.ts';
import { countWishes } from '../../model/override-rules.ts';
import { isThere, type Twin } from '../../model/twin.ts';
import { applyUpdate } from '../../model/twin-rules.ts';
import type { Outbox } from '../outbox/outbox.ts';
import type { Store } from '../store/store.ts';
import type { Transaction } from '../store/transaction.ts';
import type { DeviceAnswers } from './device-answers.ts';
import type { FactKeeper, Kept } from './fact-keeper.ts';
import { nameProblem } from './publication-parser.ts';

export interface LocalWishesTools {
  readonly store: Store;
  readonly outbox: Pick<Outbox, 'room'>;
  readonly answers: Pick<DeviceAnswers, 'updated' | 'desiredChanged'>;
  readonly clock: Clock;
}

export type Wished =
  | { readonly kind: 'done'; readonly twin: Twin }
  | { readonly kind: 'refused'; readonly reason: string }
  | { readonly kind: 'unknown' }
  | { readonly kind: 'unknown-property'; readonly known: readonly string[] };

interface Found {
  readonly definition: DeviceDefinition;
  readonly twin: Twin;
}

export class LocalWishes {
  readonly #facts: FactKeeper;
  readonly #tools: LocalWishesTools;

  constructor(facts: FactKeeper, tools: LocalWishesTools) {
    this.#facts = facts;
    this.#tools = tools;
  }

  set(device: DeviceId, property: string, value: unknown): Promise<Wished> {
    return this.#commit(device, (tx, { twin, definition }) => {
      const problem = nameProblem(property);
      if (problem !== undefined) return { kind: 'refused', reason: problem };
      const known = propertiesOf(twin, definition);
      if (!known.includes(property)) return { kind: 'unknown-property', known };
      const now = this.#tools.clock.now();
      const outcome = applyUpdate(twin, definition, [{ property, expected: { raw: value } }], now);
      if (outcome.kind === 'refused') return outcome;
      const { before, after, changes, telemetry, owed, touched } = outcome;
      // Somebody wants what is wanted already. Of an update that would be a mapper's word that it has seen it.
      if (after.properties[property]?.desired === twin.properties[property]?.desired) return { kind: 'done', twin };
      const tooLarge = this.#facts.tooLarge(after, [changes, telemetry, owed], '');
      if (tooLarge !== undefined) return { kind: 'refused', reason: tooLarge };
      this.#keep(tx, { twin: after, told: { twin: changes, telemetry }, at: now });
      tx.afterCommit(() => {
        this.#tools.answers.updated({ before, after, eventId: '', touched });
      });
      return { kind: 'done', twin: after };
    });
  }

  /** What the cloud wants counts again. Refused where nothing stands over it. */
  release(device: DeviceId, name: string): Promise<Wished> {
    return this.#commit(device, (tx, { twin: before, definition }) => {
      const property = Object.hasOwn(before.properties, name) ? before.properties[name] : undefined;
      if (property?.desired?.origin !== 'local') return { kind: 'refused', reason: nothingStands(name) };
      const now = this.#tools.clock.now();
      const cloud = definition.properties.find((declared) => declared.name === name)?.desired;
      const properties = { ...before.properties, [name]: releaseOverride(property, cloud, now) };
      const { twin: after, changes } = countWishes(before, { ...before, properties }, definition, now);
      this.#keep(tx, { twin: after, told: { twin: changes }, at: now });
      tx.afterCommit(() => {
        this.#tools.answers.desiredChanged(before, after);
      });
      return { kind: 'done', twin: after };
    });
  }

  #keep(tx: Transaction, kept: Pick<Kept, 'twin' | 'told' | 'at'>): void {
    this.#facts.keep(tx, { ...kept, eventId: '', trace: undefined });
  }

  async #commit(device: DeviceId, build: (tx: Transaction, found: Found) => Wished): Promise<Wished> {
    await this.#tools.outbox.room();
    return this.#tools.store.commit((tx): Wished => {
      const found = this.#facts.deviceIn(tx, device);
      return found === undefined ? { kind: 'unknown' } : build(tx, found);
    });
  }
}

/** A client may make new ones, over MQTT; somebody who asks for a value has misspelled one. */
const propertiesOf = (twin: Twin, { properties }: DeviceDefinition): readonly string[] => {
  const there = Object.entries(twin.properties).filter(([, property]) => isThere(property));
  return [...new Set([...properties.map(({ name }) => name), ...there.map(([name]) => name)])];
};

const nothingStands = (property: string): string =>
  `nothing was set at this node for the property "${property.slice(0, 128)}"; what is desired of it is the cloud's word`;
