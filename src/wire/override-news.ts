// The part of an event that says which local overrides stand, and how others ended.
import type { EndedOverride, OverrideChange, OverrideEnd, StandingOverride } from '../model/fact.ts';
import { asArray, asInteger, asObject, asString, type JsonObject } from './json.ts';

export type OverrideNews = Pick<OverrideChange, 'standing' | 'ended'>;

export function encodeOverrides({ standing, ended }: OverrideNews): JsonObject {
  const dated = standing.map(({ at, ...override }) => ({ ...override, since: new Date(at).toISOString() }));
  return { standing: dated, ended };
}

/** `undefined` where a field is missing. */
export function decodeOverrides(raw: JsonObject): OverrideNews | undefined {
  const standing = asArray(raw['standing'])?.map((each) => decodeStanding(asObject(each) ?? {}));
  const ended = asArray(raw['ended'])?.map((each) => decodeEnded(asObject(each) ?? {}));
  if (standing === undefined || ended === undefined) return undefined;
  const isKnown = <T>(each: T | undefined): each is T => each !== undefined;
  return standing.every(isKnown) && ended.every(isKnown) ? { standing, ended } : undefined;
}

function decodeStanding(raw: JsonObject): StandingOverride | undefined {
  const [property, value] = [asString(raw['property']), asString(raw['value'])];
  const [revision, at] = [asInteger(raw['revision']), Date.parse(asString(raw['since']) ?? '')];
  if (property === undefined || value === undefined || revision === undefined || Number.isNaN(at)) return undefined;
  return { property, value, revision, at };
}

const ENDS: readonly OverrideEnd[] = ['CloudChanged', 'Agreed', 'Released', 'NotAllowed', 'DeviceMoved'];

/** An end of a kind that this version does not know counts as the node's own doing: nobody is warned of it. */
function decodeEnded(raw: JsonObject): EndedOverride | undefined {
  const [property, value, desired] = [asString(raw['property']), asString(raw['value']), asString(raw['desired'])];
  if (property === undefined || value === undefined) return undefined;
  const reason = ENDS.find((known) => known === raw['reason']) ?? 'Released';
  return { property, value, reason, ...(desired === undefined ? {} : { desired }) };
}
