// Whether a device is there: what it said, what its values say, and what the coming and going of its client and its silence say
// (ADR 0031, with the table of cases). Pure.
import type { DeviceDefinition } from './device.ts';
import type { StateChange } from './fact.ts';
import type { PropertyUpdate } from './property-update.ts';
import type { DeviceState, Twin } from './twin.ts';

/** What the node itself notices of a device. */
export type Evidence =
  /** A client that is the device's own has connected. */
  | 'connected'
  /** The connection of the device's own client, or of the only one that spoke for this device alone, is over. */
  | 'client-gone'
  /** It was connected when this node stopped, and did not come back. */
  | 'client-not-back'
  /** A client that spoke for this device among others was lost. */
  | 'mapper-gone'
  /** Nothing was heard of it for as long as its `staleAfter`. */
  | 'silence';

/** States that a report does not contradict, nor a connection. */
const PRESENT = ['online', 'ok', 'unhealthy'];
/** States that say of a device that it was alive when they were said. */
const ALIVE = ['online', 'ok'];

const SAYS: Readonly<Record<Evidence, string>> = {
  connected: 'online',
  'client-gone': 'offline',
  'client-not-back': 'unknown',
  'mapper-gone': 'unknown',
  silence: 'unknown',
};

const isOneOf = (words: readonly string[], state: string | undefined): boolean =>
  state !== undefined && words.includes(state.toLowerCase());

/** In any case, as clients write it. */
export const isPresent = (state: string | undefined): boolean => isOneOf(PRESENT, state);
export const isAlive = (state: string | undefined): boolean => isOneOf(ALIVE, state);

/**
 * The state that follows, or `undefined` where the evidence says nothing new. Who is away is not called unknown for being silent; of
 * whom nothing was ever said here the cloud may know an older word, from another node or a lost store, that must not stand for ever.
 */
export function judge(state: string | undefined, evidence: Evidence): string | undefined {
  const says = SAYS[evidence];
  if (says === 'online') return isPresent(state) ? undefined : says;
  if (says === 'offline') return isOneOf(['offline'], state) ? undefined : says;
  return state === undefined || isPresent(state) ? says : undefined;
}

interface Applied {
  readonly twin: Twin;
  readonly changes: readonly StateChange[];
}

/** A device that reports is online, whatever it was believed to be. */
export function seenOnline(twin: Twin, updates: readonly PropertyUpdate[], now: number): Applied {
  const reports = updates.some(({ actual }) => actual !== undefined);
  return reports && !isPresent(twin.state?.state) ? applyState(twin, 'online', now) : { twin, changes: [] };
}

/** Somebody says it, in their own spelling. The same word again moves the moment at which the device was alive, and is no change. */
export function applyState(twin: Twin, state: string, now: number): Applied {
  const last = twin.state;
  const alive = seenOn(isAlive(state) ? now : last?.seenAt);
  if (last?.state === state) return { twin: { ...twin, state: { ...last, ...alive } }, changes: [] };
  const n = (last?.n ?? 0) + 1;
  const said = { state, n, at: now, ...alive, ...named(last?.client) };
  return { twin: { ...twin, state: said }, changes: [{ kind: 'state', state, n }] };
}

export interface Observation {
  readonly evidence?: Evidence;
  /** When the device was last alive, where that is known better than from its words. */
  readonly seenAt?: number;
  /** The client whose connection vouches for the device now; none where none does. */
  readonly client?: string;
}

/** The same twin where nothing is new. */
export function applyObservation(twin: Twin, { evidence, seenAt, client }: Observation, now: number): Applied {
  const state = evidence === undefined ? undefined : judge(twin.state?.state, evidence);
  if (evidence === undefined || state === undefined) return { twin: vouchedBy(twin, client), changes: [] };
  const n = (twin.state?.n ?? 0) + 1;
  const seen = seenOn(state === 'online' ? now : (seenAt ?? lastSeen(twin)));
  const next = { ...twin, state: { state, n, at: now, ...seen, ...named(client) } };
  return { twin: next, changes: [{ kind: 'state', state, n, ...seen, cause: evidence }] };
}

function vouchedBy(twin: Twin, client: string | undefined): Twin {
  if (twin.state === undefined || twin.state.client === client) return twin;
  const { state, n, at, seenAt } = twin.state;
  return { ...twin, state: { state, n, at, ...seenOn(seenAt), ...named(client) } };
}

const seenOn = (seenAt: number | undefined): Pick<DeviceState, 'seenAt'> => (seenAt === undefined ? {} : { seenAt });
const named = (client: string | undefined): Pick<DeviceState, 'client'> => (client === undefined ? {} : { client });

/** When the device was last known to be alive: it reported, or said or showed that it was there. */
export function lastSeen(twin: Twin): number | undefined {
  let seen = twin.state?.seenAt;
  for (const name in twin.properties) {
    const at = twin.properties[name]?.reported?.at;
    if (at !== undefined && (seen === undefined || at > seen)) seen = at;
  }
  return seen;
}

/** Names under which a client is the device itself: the one that its Device gives, else the device's own. */
export function ownClientIds(definition: DeviceDefinition): readonly string[] {
  const { namespace, name, protocolConfig } = definition;
  const given = (protocolConfig as { readonly clientID?: unknown } | null | undefined)?.clientID;
  if (typeof given === 'string' && given !== '') return [given];
  const full = `${namespace}/${name}`;
  return namespace === 'default' ? [full, name] : [full];
}

/** Words of any case that a device may be said to be, as KubeEdge has them. */
export const DEVICE_STATES = ['online', 'offline', 'ok', 'unknown', 'unhealthy'] as const;

/** How many of the twins are in which state; `none`: nothing was said of them yet. */
export function statesOf(twins: Iterable<Twin>): Readonly<Record<string, number>> {
  const counts = Object.fromEntries([...DEVICE_STATES, 'none'].map((state) => [state, 0]));
  for (const { state } of twins) {
    const word = state?.state.toLowerCase() ?? 'none';
    counts[word] = (counts[word] ?? 0) + 1;
  }
  return counts;
}
