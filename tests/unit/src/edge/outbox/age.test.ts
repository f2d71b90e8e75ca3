// How old entries are, on machines whose wall clocks jump: never older than they are, whatever the clock showed while it was wrong.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { AgeClock, BELIEVED_AFTER, type AgeState } from '../../../../../src/kit/age-clock.ts';
import { AgeMarks } from '../../../../../src/edge/outbox/age-marks.ts';

const START = Date.UTC(2026, 5, 1);
const HOUR = 3_600_000;

/** A machine: true time goes on; its wall clock is right, or stands in 1970 since it was switched on; a process runs, or does not. */
class Machine {
  now = 0;
  #bootedAt = 0;
  #isWallSet = true;
  #ahead = 0;
  #startedAt = 0;
  #kept: AgeState | undefined;
  clock: AgeClock;

  constructor() {
    this.clock = new AgeClock(undefined, this.#moment());
  }

  run(time: number): void {
    this.now += time;
    this.clock.advance(this.#moment());
    this.#kept = this.clock.state;
  }

  /** The process is killed: of the time since it last wrote nothing is kept. */
  restart(unwritten: number, away: number): void {
    this.now += unwritten;
    this.clock.advance(this.#moment());
    this.now += away;
    this.#start();
  }

  /** Switched off and on: the wall clock begins in 1970 until the network sets it. */
  powerOff(away: number): void {
    this.now += away;
    this.#bootedAt = this.now;
    this.#isWallSet = false;
    this.#start();
  }

  setWall(): void {
    this.#isWallSet = true;
    this.#ahead = 0;
  }

  /** Switched off and on, with a wall clock that comes up in the future. */
  comeUpAhead(away: number, ahead: number): void {
    this.now += away;
    this.#isWallSet = true;
    this.#ahead = ahead;
    this.#start();
  }

  #start(): void {
    this.#startedAt = this.now;
    this.clock = new AgeClock(this.#kept, this.#moment());
  }

  #moment() {
    const wall = this.#isWallSet ? START + this.now + this.#ahead : this.now - this.#bootedAt;
    return { wall, monotonic: this.now - this.#startedAt };
  }
}

type Act = (machine: Machine) => void;
const time = fc.integer({ min: 1, max: 30 * 24 * HOUR });
const act: fc.Arbitrary<Act> = fc.oneof(
  time.map((length) => (m: Machine) => m.run(length)),
  fc.tuple(fc.integer({ min: 0, max: 10_000 }), time).map(
    ([unwritten, away]) =>
      (m: Machine) =>
        m.restart(unwritten, away),
  ),
  time.map((away) => (m: Machine) => m.powerOff(away)),
  fc.constant((m: Machine) => m.setWall()),
);

void test('never more time is counted than has passed, and none is taken back', () => {
  fc.assert(
    fc.property(fc.array(act, { maxLength: 40, size: 'max' }), (acts) => {
      const machine = new Machine();
      let written = 0;
      for (const one of acts) {
        one(machine);
        assert.ok(machine.clock.elapsed <= machine.now, `${machine.clock.elapsed} of ${machine.now}`);
        assert.ok(machine.clock.elapsed >= written);
        written = machine.clock.state.elapsed;
        machine.run(0);
      }
    }),
    { numRuns: 2000 },
  );
});

const comingUpAhead = fc.tuple(time, fc.integer({ min: HOUR, max: 70 * 365 * 24 * HOUR })).map(
  ([away, ahead]) =>
    (m: Machine) =>
      m.comeUpAhead(away, ahead),
);

void test('a clock that comes up in the future makes nothing old before ten minutes, and nothing for longer than it is wrong', () => {
  fc.assert(
    fc.property(
      fc.array(fc.oneof({ weight: 4, arbitrary: act }, { weight: 1, arbitrary: comingUpAhead }), {
        maxLength: 40,
        size: 'max',
      }),
      comingUpAhead,
      fc.integer({ min: 1, max: BELIEVED_AFTER - 1 }),
      fc.boolean(),
      (acts, last, short, isShort) => {
        const machine = new Machine();
        for (const one of acts) {
          one(machine);
          machine.run(0);
        }
        machine.setWall();
        machine.run(BELIEVED_AFTER);
        machine.run(BELIEVED_AFTER);
        assert.ok(machine.clock.elapsed <= machine.now, `${machine.clock.elapsed} of ${machine.now}`);

        last(machine);
        machine.run(isShort ? short : BELIEVED_AFTER);
        if (isShort) assert.ok(machine.clock.elapsed <= machine.now, `too old after ${short} ms`);
        machine.setWall();
        machine.run(0);
        assert.ok(machine.clock.elapsed <= machine.now, 'not taken back');
      },
    ),
    { numRuns: 2000 },
  );
});

void test('once the network has set the clock of a machine, the time it was switched off is counted too', () => {
  const machine = new Machine();
  machine.run(5 * HOUR);
  machine.powerOff(48 * HOUR);
  machine.run(HOUR);
  assert.equal(machine.clock.elapsed, 6 * HOUR);

  machine.setWall();
  machine.run(HOUR);
  assert.equal(machine.clock.elapsed, 7 * HOUR, 'believed at once');
  machine.run(BELIEVED_AFTER);

  assert.equal(machine.clock.elapsed, 55 * HOUR + BELIEVED_AFTER);
});

void test('the time between two processes is counted, but for what the first had not written', () => {
  const machine = new Machine();
  machine.run(HOUR);
  machine.restart(5_000, HOUR);
  machine.run(BELIEVED_AFTER);

  assert.equal(machine.clock.elapsed, 2 * HOUR + 5_000 + BELIEVED_AFTER);
});

void test('a clock that is set far ahead while the process runs makes nothing old', () => {
  const clock = new AgeClock(undefined, { wall: START, monotonic: 0 });
  clock.advance({ wall: START + 10 * 365 * 24 * HOUR, monotonic: 1_000 });

  assert.equal(clock.elapsed, 1_000);
});

void test('a clock that goes back between two processes makes nothing younger', () => {
  const clock = new AgeClock({ elapsed: 7 * HOUR, wall: START }, { wall: START - HOUR, monotonic: 0 });
  assert.equal(clock.elapsed, 7 * HOUR);

  clock.advance({ wall: START, monotonic: HOUR });
  assert.equal(clock.elapsed, 8 * HOUR);
});

const EVERY = 10_000;

void test('of a month a few hundred marks are kept, and every age is known to a fiftieth', () => {
  const marks = new AgeMarks();
  const rounds = (30 * 24 * HOUR) / EVERY;
  for (let round = 1; round <= rounds; round += 1) marks.add({ sequence: round, elapsed: round * EVERY });

  assert.ok(marks.count < 1000, `${marks.count} marks`);
  const now = rounds * EVERY;
  fc.assert(
    fc.property(fc.integer({ min: 1, max: rounds }), (age) => {
      const through = marks.through(now - age * EVERY);
      assert.ok(through <= rounds - age, 'too young');
      assert.ok(rounds - through <= age * 1.02 + 2, `${rounds - through} rounds old is the first found for ${age}`);
    }),
  );
});

void test('marks from a time that was taken back are not in the future, and those after them thin out as before', () => {
  const marks = new AgeMarks([1, 2, 3].map((n) => ({ sequence: n * 10, elapsed: n * 100_000 })));
  marks.noneAfter(150_000);

  assert.deepEqual(
    [10, 20, 30].map((sequence) => marks.thereAt(sequence)),
    [100_000, 150_000, 150_000],
  );
  marks.add({ sequence: 40, elapsed: 160_000 });
  assert.deepEqual([marks.through(149_999), marks.through(150_000), marks.through(160_000)], [10, 30, 40]);
});

void test('marks of entries that wait no more are forgotten, and one that is newer than all has no age', () => {
  const marks = new AgeMarks([1, 2, 3].map((n) => ({ sequence: n * 10, elapsed: n * 100_000 })));

  assert.deepEqual(marks.forgetBefore(21), [
    { sequence: 10, elapsed: 100_000 },
    { sequence: 20, elapsed: 200_000 },
  ]);
  assert.deepEqual([marks.thereAt(21), marks.thereAt(30), marks.thereAt(31)], [300_000, 300_000, undefined]);
});
