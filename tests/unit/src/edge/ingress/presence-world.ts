// A presence book with four devices and no time but its own.
import type { Departure } from '../../../../../broker/index.ts';
import { PresenceBook } from '../../../../../src/edge/ingress/presence-book.ts';
import { ms } from '../../../../../src/kit/units.ts';
import type { DeviceDefinition } from '../../../../../src/model/device.ts';
import { applyObservation, applyState } from '../../../../../src/model/state-rules.ts';
import { emptyTwin, type Twin } from '../../../../../src/model/twin.ts';

export const GRACE = 5;
export const START_GRACE = 30;
export const STALE = 20;

export const device = (name: string, extra: Partial<DeviceDefinition> = {}): DeviceDefinition => ({
  ...{ namespace: 'default', name, uid: `uid-${name}`, binding: 1, protocol: 'p', properties: [] },
  ...extra,
});

export const SELF = device('self');
export const SLEEPER = device('sleeper', { staleAfter: STALE });
export const A = device('a');
export const B = device('b');
export const ALL = [SELF, SLEEPER, A, B];

/** A book, and the twins that what is due goes into. */
export class World {
  readonly book = new PresenceBook({ grace: ms(GRACE), startGrace: ms(START_GRACE), signEvery: ms(10) });
  readonly twins = new Map<string, Twin>();
  readonly definitions: readonly DeviceDefinition[];
  now = 0;

  constructor(definitions: readonly DeviceDefinition[] = ALL, twins: Iterable<Twin> = []) {
    this.definitions = definitions;
    for (const twin of twins) this.twins.set(twin.name, twin);
    this.book.know(definitions);
    this.book.recall(this.twins.values());
  }

  twin(name: string): Twin {
    return this.twins.get(name) ?? emptyTwin(device(name));
  }

  state(name: string): string | undefined {
    return this.twins.get(name)?.state?.state;
  }

  report(definition: DeviceDefinition, client: string): void {
    const twin = this.twin(definition.name);
    if (twin.state?.state !== 'online') this.twins.set(definition.name, applyState(twin, 'online', this.now).twin);
    this.book.heard(definition, client, true);
  }

  pass(time: number): void {
    for (let step = 0; step < time; step += 1) {
      this.now += 1;
      this.book.pass(1);
      this.settle();
    }
  }

  settle(): void {
    for (const {
      device: { name },
      observation,
      done,
    } of this.book.due()) {
      this.twins.set(name, applyObservation(this.twin(name), observation, this.now).twin);
      done();
    }
  }

  end(client: string, how: Departure): void {
    this.book.gone(client, how, this.now);
  }
}
