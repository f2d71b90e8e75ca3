// What the retained `$skerry/mapper/…` message tells a device about itself. Pure.
import { asArray, asObject, asString, parseJson } from '../../src/wire/json.ts';

export type MapperMessage =
  | { readonly kind: 'defined'; readonly desired: ReadonlyMap<string, string> }
  /** An empty message: the device is not wanted here any more. */
  | { readonly kind: 'removed' }
  | { readonly kind: 'unreadable' };

export function readMapperMessage(payload: Uint8Array): MapperMessage {
  if (payload.length === 0) return { kind: 'removed' };
  const properties = asArray(asObject(parseJson(payload))?.['properties']);
  if (properties === undefined) return { kind: 'unreadable' };
  return { kind: 'defined', desired: new Map(properties.flatMap(desiredOf)) };
}

function desiredOf(property: unknown): [string, string][] {
  const name = asString(asObject(property)?.['name']);
  const desired = asString(asObject(property)?.['desired']);
  return name === undefined || desired === undefined ? [] : [[name, desired]];
}
