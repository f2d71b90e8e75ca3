// What a twin was: which of its changes make history, and what it held at a moment. Each property has a ring of its newest reported
// values and one of its newest desired values, the device one of its states. Order is that of the counters; clocks only say when,
// and a clock that jumped confuses nothing but the times shown. Pure.
import type { Desired, DeviceState, Reported, Twin, TwinProperty } from './twin.ts';

export type HistoryKind = 'reported' | 'desired' | 'state';

export interface HistoryEntry {
  readonly kind: HistoryKind;
  /** Empty for states, which are the device's. */
  readonly property: string;
  readonly n: number;
  /** `n` of the entry before it in its ring; 0 where there was nothing before. */
  readonly before: number;
  /** When the node received it. */
  readonly at: number;
  /** Absent: the value was removed, or taken back. */
  readonly value?: string;
  /** How long the value was, where only its beginning is kept. */
  readonly length?: number;
  readonly deviceTime?: number;
  readonly origin?: Desired['origin'];
}

/** Longer values are kept by their beginning: history is for people who look, and bounded for the disk. */
export const KEPT_OF_VALUE = 512;

export interface Recorder {
  entry(entry: HistoryEntry): void;
  /** The twin remembers nothing of the property any more; this is what it had remembered. */
  forgotten(property: string, was: TwinProperty): void;
}

/**
 * Hands over what changed between two twins of the same device, and tells how many rings more there are now. `now`: when that was,
 * for what the twin has no time of.
 */
export function recordChanges(before: Twin | undefined, after: Twin, now: () => number, recorder: Recorder): number {
  const last = before === undefined ? NOTHING : before;
  let rings = 0;
  let known = 0;
  for (const property in after.properties) {
    const [was = NEW, is] = [last.properties[property], after.properties[property]];
    if (was !== NEW) known += 1;
    if (is === undefined || was === is) continue;
    recordReported(property, [was, is], now, recorder);
    recordDesired(property, [was, is], recorder);
    rings += ringsOfProperty(is) - ringsOfProperty(was);
  }
  if (Object.keys(last.properties).length > known) rings -= recordForgotten(last, after, recorder);
  const n = numberOf(last.state, 0);
  if (after.state !== undefined && after.state.n !== n) recorder.entry(ofState(after.state, n));
  return rings + ringsOfState(after) - ringsOfState(last);
}

/** How many rings a twin's history has. */
export function ringsIn(twin: Twin): number {
  let rings = ringsOfState(twin);
  for (const property of Object.values(twin.properties)) rings += ringsOfProperty(property);
  return rings;
}

/** One for what was ever reported, and one for what was ever desired. */
const ringsOfProperty = ({ reported, floor, desired, undesired }: Held): number =>
  Number(reported !== undefined || floor !== undefined) + Number(desired !== undefined || undesired !== undefined);

const ringsOfState = ({ state }: Pick<Twin, 'state'>): number => Number(state !== undefined);

/** Tells how many rings are gone. */
function recordForgotten({ properties }: Pick<Twin, 'properties'>, after: Twin, recorder: Recorder): number {
  let rings = 0;
  for (const [property, was] of Object.entries(properties)) {
    if (after.properties[property] !== undefined) continue;
    recorder.forgotten(property, was);
    rings += ringsOfProperty(was);
  }
  return rings;
}

type Held = Omit<TwinProperty, 'type'>;
type Step = readonly [was: Held, is: Held];

const NEW: Held = {};
const NOTHING: Pick<Twin, 'properties' | 'state'> = { properties: {} };

const numberOf = (value: { readonly n: number } | undefined, otherwise: number): number => value?.n ?? otherwise;

function recordReported(property: string, step: Step, now: () => number, recorder: Recorder): void {
  const [was, { reported, floor }] = step;
  // A new property that begins above a floor had a life that was forgotten.
  const before = numberOf(was.reported, was.floor ?? (was === NEW ? (floor ?? 0) : 0));
  if (reported !== undefined) {
    if (was.reported?.n !== reported.n) recorder.entry(ofReported(property, reported, before));
  } else if (floor !== undefined && floor !== before)
    recorder.entry({ kind: 'reported', property, n: floor, before, at: now() });
}

function recordDesired(property: string, step: Step, recorder: Recorder): void {
  const [was, { desired, undesired }] = step;
  const before = numberOf(was.desired ?? was.undesired, was === NEW ? (step[1].floor ?? 0) : 0);
  if (desired !== undefined) {
    if (was.desired?.n !== desired.n) recorder.entry(ofDesired(property, desired, before));
  } else if (was.desired !== undefined && undesired !== undefined)
    recorder.entry({ kind: 'desired', property, ...undesired, before });
}

function ofReported(property: string, { value, n, at, deviceTime }: Reported, before: number): HistoryEntry {
  const entry: HistoryEntry = { kind: 'reported', property, n, before, at, value };
  return shortened(deviceTime === undefined ? entry : { ...entry, deviceTime }, value);
}

const ofDesired = (property: string, { value, n, at, origin }: Desired, before: number): HistoryEntry =>
  shortened({ kind: 'desired', property, n, before, at, value, origin }, value);

const ofState = ({ state, n, at }: DeviceState, before: number): HistoryEntry => ({
  ...{ kind: 'state', property: '', n, before },
  ...{ at, value: state },
});

function shortened(entry: HistoryEntry, { length }: string): HistoryEntry {
  return length <= KEPT_OF_VALUE ? entry : { ...entry, value: entry.value?.slice(0, KEPT_OF_VALUE) ?? '', length };
}

/**
 * The newest part of one ring that has no hole, oldest first: each entry follows the one before it. What the ring still holds
 * beyond a hole says nothing reliable. `current` is what the twin holds: the ring may lack it, where history was off meanwhile, and
 * what it has of higher counts is of an earlier life of the device.
 */
export function unbroken(ring: readonly HistoryEntry[], current: HistoryEntry | undefined): readonly HistoryEntry[] {
  const byN = new Map(ring.map((entry) => [entry.n, entry]));
  const newest = ring.reduce<HistoryEntry | undefined>((a, b) => (a === undefined || b.n > a.n ? b : a), undefined);
  const run: HistoryEntry[] = [];
  let entry = current === undefined ? newest : (byN.get(current.n) ?? current);
  for (; entry !== undefined; entry = byN.get(entry.before)) run.push(entry);
  return run.reverse();
}

/** The rings of a twin's current values, by `ringOf`; entries whose predecessor nobody knows have themselves as `before`. */
export function currentEntries(twin: Twin): readonly HistoryEntry[] {
  const entries: HistoryEntry[] = [];
  for (const [property, { reported, desired }] of Object.entries(twin.properties)) {
    if (reported !== undefined) entries.push(ofReported(property, reported, UNKNOWN));
    if (desired !== undefined) entries.push(ofDesired(property, desired, UNKNOWN));
  }
  if (twin.state !== undefined) entries.push(ofState(twin.state, UNKNOWN));
  return entries;
}

/** There was something before, and nobody knows what. */
const UNKNOWN = -1;

export const ringOf = ({ kind, property }: Pick<HistoryEntry, 'kind' | 'property'>): string => `${kind}/${property}`;

/** Rings without holes, by `ringOf`: those that have entries, and those of values that the twin holds. */
export function ringsOf(twin: Twin, entries: readonly HistoryEntry[]): ReadonlyMap<string, readonly HistoryEntry[]> {
  const found = new Map<string, HistoryEntry[]>();
  for (const entry of entries) {
    const ring = found.get(ringOf(entry));
    if (ring === undefined) found.set(ringOf(entry), [entry]);
    else ring.push(entry);
  }
  const current = new Map(currentEntries(twin).map((entry) => [ringOf(entry), entry]));
  const names = new Set([...found.keys(), ...current.keys()]);
  return new Map([...names].map((name) => [name, unbroken(found.get(name) ?? [], current.get(name))]));
}

/** What one ring held at a moment. */
export type HeldThen =
  | { readonly kind: 'held'; readonly entry: HistoryEntry }
  | { readonly kind: 'nothing' }
  /** History begins later. */
  | { readonly kind: 'unknown'; readonly since: number };

/** The newest entry, by its counter, that was received by then. `ring` has no holes and is not empty. */
export function heldAt(ring: readonly HistoryEntry[], moment: number): HeldThen {
  const entry = ring.findLast(({ at }) => at <= moment);
  if (entry !== undefined) return entry.value === undefined ? { kind: 'nothing' } : { kind: 'held', entry };
  const first = ring[0];
  return first === undefined || first.before === 0 ? { kind: 'nothing' } : { kind: 'unknown', since: first.at };
}

/**
 * Entries of several rings as one list, oldest first, of which only the newest are kept. Each ring keeps its order: where a clock
 * was set back, an entry counts as no older than the one before it.
 */
export class NewestEntries {
  readonly #most: number;
  #timed: { readonly entry: HistoryEntry; readonly time: number }[] = [];
  #isCut = false;

  constructor(most: number) {
    this.#most = most;
  }

  add(ring: readonly HistoryEntry[]): void {
    let time = Number.NEGATIVE_INFINITY;
    for (const entry of ring) {
      time = Math.max(time, entry.at);
      this.#timed.push({ entry, time });
    }
    if (this.#timed.length > 2 * this.#most) this.#cut();
  }

  /** Whether there were more. */
  get isCut(): boolean {
    return this.#isCut || this.#timed.length > this.#most;
  }

  inOrder(): readonly HistoryEntry[] {
    this.#cut();
    return this.#timed.map(({ entry }) => entry);
  }

  #cut(): void {
    this.#isCut = this.isCut;
    this.#timed = this.#timed.sort((a, b) => a.time - b.time).slice(-this.#most);
  }
}
