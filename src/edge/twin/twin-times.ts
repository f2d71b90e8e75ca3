// When the values of a twin came, where they were stamped before the time was known (ADR 0038): for whoever reads them at the node.
// What is stored keeps its stamps. Pure.
import { isTimeKnown } from '../../kit/known-time.ts';
import type { TimeOf } from '../../kit/stamp-clock.ts';
import type { Twin, TwinProperty } from '../../model/twin.ts';

/** The same twin where all its times are known. */
export function twinWithTimes(twin: Twin, timeOf: TimeOf): Twin {
  if (isKnown(twin.state) && isKnown(twin.overrides) && Object.values(twin.properties).every(hasKnownTimes))
    return twin;
  const { properties, state, overrides } = twin;
  const seenAt = state?.seenAt === undefined ? {} : { seenAt: timeOf(state.seenAt) };
  return {
    ...twin,
    properties: Object.fromEntries(
      Object.entries(properties).map(([name, property]) => [name, propertyWithTimes(property, timeOf)]),
    ),
    ...(state === undefined ? {} : { state: { ...state, at: timeOf(state.at), ...seenAt } }),
    ...(overrides === undefined ? {} : { overrides: { ...overrides, at: timeOf(overrides.at) } }),
  };
}

type Stamped = { readonly at: number; readonly seenAt?: number } | undefined;

const isKnown = (stamped: Stamped): boolean =>
  stamped === undefined || (isTimeKnown(stamped.at) && (stamped.seenAt === undefined || isTimeKnown(stamped.seenAt)));

const hasKnownTimes = ({ reported, desired, observedDesired, undesired }: TwinProperty): boolean =>
  isKnown(reported) && isKnown(desired) && isKnown(observedDesired) && isKnown(undesired);

function propertyWithTimes(property: TwinProperty, timeOf: TimeOf): TwinProperty {
  const { reported, desired, observedDesired, undesired } = property;
  return {
    ...property,
    ...(reported === undefined ? {} : { reported: { ...reported, at: timeOf(reported.at) } }),
    ...(desired === undefined ? {} : { desired: { ...desired, at: timeOf(desired.at) } }),
    ...(observedDesired === undefined
      ? {}
      : { observedDesired: { ...observedDesired, at: timeOf(observedDesired.at) } }),
    ...(undesired === undefined ? {} : { undesired: { ...undesired, at: timeOf(undesired.at) } }),
  };
}
