// The counter itself, as a state machine without a clock: who calls `step` decides how fast it counts.

export const SWITCHES = ['ON', 'OFF'] as const;
export type Switch = (typeof SWITCHES)[number];

export interface Counter {
  /** `OFF`: at rest, still showing where it stopped. `ON`: each step counts. */
  readonly status: Switch;
  readonly count: number;
}

export const INITIAL_COUNTER: Counter = Object.freeze({ status: 'OFF', count: 0 });

/** Switching on starts again from zero, switching off keeps the count on display; switching to what it is changes nothing. */
export function switched(counter: Counter, to: Switch): Counter {
  if (counter.status === to) return counter;
  return to === 'ON' ? { status: 'ON', count: 0 } : { status: 'OFF', count: counter.count };
}

export function stepped(counter: Counter): Counter {
  return counter.status === 'ON' ? { status: 'ON', count: counter.count + 1 } : counter;
}

/** What a desired value asks for; `undefined` for a word the counter does not know. */
export function switchNamed(text: string): Switch | undefined {
  return SWITCHES.find((name) => name === text.trim().toUpperCase());
}
