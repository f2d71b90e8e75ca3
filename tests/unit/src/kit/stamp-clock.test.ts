// Stamps on a machine that boots in 1970: what they say is when it was, as soon as that can be known.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Clock } from '../../../../src/kit/clock.ts';
import { isTimeKnown } from '../../../../src/kit/known-time.ts';
import { StampClock } from '../../../../src/kit/stamp-clock.ts';

const START = Date.UTC(2026, 5, 1);
const HOUR = 3_600_000;

/** True time goes on; the wall clock stands in 1970 since the machine was switched on, until somebody sets it. */
class Machine {
  now = 0;
  isSet = false;
  #bootedAt = 0;
  #startedAt = 0;
  #ran = 0;
  stamps = new StampClock(this.#clock);

  get true(): number {
    return START + this.now;
  }

  run(time: number): void {
    this.now += time;
    this.#ran += time;
  }

  /** Off for so long, and on again. */
  boot(away: number): void {
    this.now += away;
    this.#bootedAt = this.now;
    this.#startedAt = this.now;
    this.isSet = false;
    this.stamps = new StampClock(this.#clock);
    this.stamps.goOnFrom(this.#ran);
  }

  get #clock(): Clock {
    return {
      now: () => (this.isSet ? this.true : this.now - this.#bootedAt),
      monotonic: () => this.now - this.#startedAt,
    };
  }
}

interface Stamped {
  readonly stamp: number;
  readonly at: number;
  readonly boot: number;
}

const time = fc.integer({ min: 1, max: 100 * HOUR });
const boots = fc.array(fc.record({ away: time, runs: fc.array(time, { maxLength: 5 }), isSet: fc.boolean() }), {
  minLength: 1,
  maxLength: 6,
});

void test('a stamp tells its time to the millisecond within a run, and is never later than now nor out of the order of its kind', () => {
  fc.assert(
    fc.property(boots, (life) => {
      const machine = new Machine();
      const made: Stamped[] = [];
      for (const [boot, { away, runs, isSet }] of life.entries()) {
        machine.boot(away);
        for (const run of runs) {
          machine.run(run);
          made.push({ stamp: machine.stamps.now(), at: machine.true, boot });
        }
        machine.isSet = isSet;
        made.push({ stamp: machine.stamps.now(), at: machine.true, boot });
      }
      machine.isSet = true;

      const times = made.map(({ stamp }) => machine.stamps.timeOf(stamp));
      for (const [place, { at, boot, stamp }] of made.entries()) {
        const told = times[place] ?? NaN;
        assert.ok(told <= machine.true && told >= at, `${told} for ${at}`);
        if (boot === life.length - 1 || isTimeKnown(stamp)) assert.equal(told, at);
      }
      const counted = times.filter((_, place) => !isTimeKnown(made[place]?.stamp ?? 0));
      assert.deepEqual(
        counted,
        counted.toSorted((a, b) => a - b),
      );
    }),
  );
});

void test('as long as the time is not known a stamp stays what it is', () => {
  const machine = new Machine();
  machine.run(5000);
  const stamp = machine.stamps.now();
  machine.run(1000);

  assert.equal(stamp, 5000);
  assert.equal(machine.stamps.timeOf(stamp), stamp);
});

void test('what was stamped by the wall clock of 1970, as older versions did, came not later than now', () => {
  const machine = new Machine();
  machine.run(5000);
  machine.isSet = true;

  assert.equal(machine.stamps.timeOf(7 * HOUR), machine.true);
  assert.equal(machine.stamps.timeOf(0), 0);
});
