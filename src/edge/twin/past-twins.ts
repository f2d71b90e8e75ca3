// Questions about what a twin was, answered from its history, property by property, so that a long history is never in memory whole.
import { deviceKey, type DeviceId } from '../../model/device.ts';
import { heldAt, NewestEntries, ringsOf, type HistoryEntry, type HistoryKind } from '../../model/twin-history.ts';
import type { TimeOf } from '../../kit/stamp-clock.ts';
import type { Twin } from '../../model/twin.ts';
import type { TwinBook } from './twin-book.ts';
import type { TwinHistory } from './twin-history.ts';
import { twinWithTimes } from './twin-times.ts';

type PastValue = Omit<HistoryEntry, 'kind' | 'property'>;

export interface PastTwin {
  readonly device: string;
  readonly at: number;
  readonly state?: PastValue;
  readonly properties: Readonly<Record<string, { readonly reported?: PastValue; readonly desired?: PastValue }>>;
  /** What history does not reach back to: it begins at `since`. The property of a state is empty. */
  readonly unknown: readonly { readonly kind: HistoryKind; readonly property: string; readonly since: number }[];
}

export interface HistoryQuestion {
  /** Of one property only. */
  readonly property?: string;
  /** Not older than this. */
  readonly since?: number;
  /** The newest so many. */
  readonly limit: number;
}

export interface HistoryAnswer {
  readonly device: string;
  /** How many changes are kept of each property; 0: none, by configuration. */
  readonly kept: number;
  /** There are older ones that were asked for. */
  readonly isCut: boolean;
  /** Oldest first. */
  readonly entries: readonly HistoryEntry[];
}

export class PastTwins {
  readonly #twins: TwinBook;
  readonly #history: TwinHistory;
  readonly #timeOf: TimeOf;

  constructor(tools: {
    readonly twins: TwinBook;
    readonly history: TwinHistory;
    readonly clock: { readonly timeOf: TimeOf };
  }) {
    this.#timeOf = tools.clock.timeOf;
    this.#twins = tools.twins;
    this.#history = tools.history;
  }

  /** The whole twin as it was; `undefined`: no such device. */
  async at(device: DeviceId, moment: number): Promise<PastTwin | undefined> {
    const twin = this.#twins.read(device);
    if (twin === undefined) return undefined;
    const held: HistoryEntry[] = [];
    const unknown: PastTwin['unknown'][number][] = [];
    for (const name of namesOf(twin)) {
      for (const ring of await this.#ringsOf(twin, name)) {
        const [newest] = ring.slice(-1);
        const then = heldAt(ring, moment);
        if (then.kind === 'held') held.push(then.entry);
        else if (then.kind === 'unknown' && newest !== undefined)
          unknown.push({ kind: newest.kind, property: name, since: then.since });
      }
    }
    return { device: deviceKey(device), at: moment, ...asTwin(held), unknown };
  }

  /** Those that have or had a value, and those that its model declares. */
  properties(device: DeviceId): readonly string[] | undefined {
    const twin = this.#twins.read(device);
    return twin === undefined ? undefined : Object.keys(twin.properties);
  }

  /** `undefined`: no such device. */
  async entries(device: DeviceId, question: HistoryQuestion): Promise<HistoryAnswer | undefined> {
    const { property, since = Number.NEGATIVE_INFINITY, limit } = question;
    const twin = this.#twins.read(device);
    if (twin === undefined) return undefined;
    const newest = new NewestEntries(limit);
    for (const name of property === undefined ? namesOf(twin) : [property])
      for (const ring of await this.#ringsOf(twin, name)) newest.add(ring.filter(({ at }) => at >= since));
    const entries = newest.inOrder();
    return { device: deviceKey(device), kept: this.#history.places, isCut: newest.isCut, entries };
  }

  async #ringsOf(twin: Twin, name: string): Promise<Iterable<readonly HistoryEntry[]>> {
    const stored = await this.#history.ofProperty(twin.uid, name);
    const entries = stored.map((entry) => ({ ...entry, at: this.#timeOf(entry.at) }));
    const { namespace, uid, binding, state, properties } = twinWithTimes(twin, this.#timeOf);
    const property = Object.hasOwn(properties, name) ? properties[name] : undefined;
    const alone = {
      namespace,
      name: twin.name,
      uid,
      binding,
      properties: property === undefined ? {} : { [name]: property },
    };
    return ringsOf(name === '' && state !== undefined ? { ...alone, state } : alone, entries).values();
  }
}

/** Empty: the device's states. */
const namesOf = (twin: Twin): readonly string[] => ['', ...Object.keys(twin.properties)];

function asTwin(held: readonly HistoryEntry[]): Pick<PastTwin, 'state' | 'properties'> {
  const properties: Record<string, { reported?: PastValue; desired?: PastValue }> = {};
  let state: PastValue | undefined;
  for (const { kind, property, ...value } of held) {
    if (kind === 'state') state = value;
    else properties[property] = { ...properties[property], [kind]: value };
  }
  return { ...(state === undefined ? {} : { state }), properties };
}
