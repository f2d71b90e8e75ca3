// How much of a twin its device model does not account for: bounds what a client that invents names, and values for them, can fill.
// A twin is written whole with every change of it. Pure.
import { declaredNames, type DeviceDefinition } from './device.ts';
import { forgetRemoved } from './removal-rules.ts';
import type { Twin } from './twin.ts';

/** A twin may hold this many properties that its model does not declare. */
export const MOST_UNDECLARED_PROPERTIES = 200;
/** So many characters may their values have together: what one packet brings, and a little. */
export const MOST_UNDECLARED_TEXT = 1024 * 1024;
/** As long as all values are shorter, the number of the properties bounds them well enough. */
const WORTH_COUNTING = 1024;

/**
 * The twin after a change, without what need not be remembered of removed properties; or why it holds too much. One that held more
 * before, because its model shrank, is served on: it only grows no further.
 */
export function withinBounds(before: Twin, after: Twin, definition: DeviceDefinition): Twin | string {
  const most = Math.max(
    Object.keys(before.properties).length,
    definition.properties.length + MOST_UNDECLARED_PROPERTIES,
  );
  const held = forgetRemoved(after, definition, most);
  if (Object.keys(held.properties).length > most)
    return `${already(definition)} ${MOST_UNDECLARED_PROPERTIES} properties that its device model does not declare; declare them in the DeviceModel`;
  if (!isLong(before, held)) return held;
  const declared = declaredNames(definition);
  if (textOf(held, declared) <= Math.max(MOST_UNDECLARED_TEXT, textOf(before, declared))) return held;
  return `${already(definition)} too much in properties that its device model does not declare: ${MOST_UNDECLARED_TEXT} characters at most; declare them in the DeviceModel, or remove some`;
}

const already = ({ namespace, name }: DeviceDefinition): string => `the twin of ${namespace}/${name} already holds`;

/** Whether a property that changed is a long one. */
function isLong(before: Twin, after: Twin): boolean {
  for (const name in after.properties) {
    const property = after.properties[name];
    if (property !== before.properties[name] && lengthOf(property) > WORTH_COUNTING) return true;
  }
  return false;
}

function textOf(twin: Twin, declared: ReadonlySet<string>): number {
  let length = 0;
  for (const name in twin.properties) if (!declared.has(name)) length += lengthOf(twin.properties[name]);
  return length;
}

function lengthOf(property: Twin['properties'][string] | undefined): number {
  const { reported, desired, observedDesired } = property ?? {};
  return (reported?.value.length ?? 0) + (desired?.value.length ?? 0) + (observedDesired?.value.length ?? 0);
}
