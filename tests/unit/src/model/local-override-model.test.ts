// Random histories of what the cloud and the node want, with outages, restarts and lost disks, against a model of a few lines.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { PropertyDefinition } from '../../../../src/model/device.ts';
import { OverrideWorld } from './override-world.ts';

const NAMES = ['a', 'b'] as const;
type Name = (typeof NAMES)[number];
const START: readonly PropertyDefinition[] = [
  { name: 'a', type: 'INT', accessMode: 'ReadWrite', desired: '1' },
  { name: 'b', type: 'INT', accessMode: 'ReadWrite' },
];

type Step =
  | { readonly do: 'cloud'; readonly name: Name; readonly value: string | undefined }
  | { readonly do: 'set'; readonly name: Name; readonly value: string }
  | { readonly do: 'reset' | 'report'; readonly name: Name }
  | { readonly do: 'sync' | 'restart node' | 'wipe' | 'restart hub' | 'bind anew' };

const name = fc.constantFrom(...NAMES);
const value = fc.constantFrom('1', '2', '3');
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    arbitrary: fc.record({ do: fc.constant('cloud' as const), name, value: fc.option(value, { nil: undefined }) }),
    weight: 4,
  },
  { arbitrary: fc.record({ do: fc.constant('set' as const), name, value }), weight: 4 },
  { arbitrary: fc.record({ do: fc.constantFrom('reset', 'report' as const), name }), weight: 1 },
  { arbitrary: fc.record({ do: fc.constantFrom('sync', 'restart hub' as const) }), weight: 4 },
  { arbitrary: fc.record({ do: fc.constantFrom('restart node', 'wipe', 'bind anew' as const) }), weight: 1 },
);

/** What the cloud wants, what the node has heard of that, and what the node wants instead. */
interface Wishes {
  cloud: string | undefined;
  heard: string | undefined;
  own: string | undefined;
}

class Model {
  readonly wishes: Readonly<Record<Name, Wishes>> = {
    a: { cloud: '1', heard: '1', own: undefined },
    b: { cloud: undefined, heard: undefined, own: undefined },
  };
  lost = 0;
  #isMoved = false;

  take(one: Step): void {
    switch (one.do) {
      case 'cloud':
        this.wishes[one.name].cloud = one.value;
        return;
      case 'set':
        this.wishes[one.name].own = one.value === this.wishes[one.name].heard ? undefined : one.value;
        return;
      case 'reset':
        this.wishes[one.name].own = undefined;
        return;
      case 'bind anew':
        this.#isMoved = true;
        return;
      case 'sync':
        for (const each of NAMES) this.#hear(this.wishes[each]);
        this.#isMoved = false;
        return;
      case 'wipe':
        for (const each of NAMES) this.wishes[each].own = undefined;
        this.take({ do: 'sync' });
        return;
      case 'report':
      case 'restart node':
      case 'restart hub':
        return;
    }
  }

  #hear(wishes: Wishes): void {
    if (wishes.own !== undefined && (this.#isMoved || wishes.cloud !== wishes.heard)) {
      if (wishes.own !== wishes.cloud) this.lost += 1;
      wishes.own = undefined;
    }
    wishes.heard = wishes.cloud;
  }

  get desired(): Readonly<Record<string, string>> {
    return this.#where(({ own, heard }) => own ?? heard);
  }

  get standing(): Readonly<Record<string, string>> {
    return this.#where(({ own }) => own);
  }

  #where(value: (wishes: Wishes) => string | undefined): Readonly<Record<string, string>> {
    const found = NAMES.map((each) => [each, value(this.wishes[each])] as const);
    return Object.fromEntries(found.flatMap(([each, one]) => (one === undefined ? [] : [[each, one]])));
  }
}

function take(world: OverrideWorld, one: Step): void {
  switch (one.do) {
    case 'cloud': {
      world.cloud(one.name, one.value);
      return;
    }
    case 'set': {
      world.set(one.name, one.value);
      return;
    }
    case 'reset': {
      world.reset(one.name);
      return;
    }
    case 'report': {
      world.report(one.name, '2');
      return;
    }
    case 'sync': {
      world.sync();
      return;
    }
    case 'restart node': {
      world.restartNode();
      return;
    }
    case 'wipe': {
      world.wipeNode();
      return;
    }
    case 'restart hub': {
      world.restartHub();
      return;
    }
    case 'bind anew': {
      world.bindAnew();
      return;
    }
  }
}

void test('whatever the cloud and the node want in whatever order, node and hub agree on what stands and what was lost', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60, size: 'max' }), (steps) => {
      const world = new OverrideWorld(START);
      const model = new Model();

      for (const one of steps) {
        take(world, one);
        model.take(one);
        assert.deepEqual(world.desired, model.desired);
        assert.deepEqual(world.shown, model.standing);
      }

      assert.equal(world.condition.startsWith('True'), Object.keys(model.standing).length > 0);
      assert.equal(world.events.length, model.lost);
    }),
    { numRuns: 500 },
  );
});
