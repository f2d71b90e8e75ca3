import { isObject, type Json, type JsonObject } from '../json.ts';

/** JSON merge patch (RFC 7386): members replace, `null` removes, lists are replaced whole. */
export function mergePatch(target: Json | undefined, patch: Json): Json {
  if (!isObject(patch)) return patch;
  const base: JsonObject = isObject(target) ? target : {};
  const kept = Object.entries(base).filter(([name]) => !Object.hasOwn(patch, name));
  const changed = Object.entries(patch).flatMap(([name, value]) =>
    value === null || value === undefined ? [] : [[name, mergePatch(ownMember(base, name), value)]],
  );
  return Object.fromEntries([...kept, ...changed]) as JsonObject;
}

const ownMember = (object: JsonObject, name: string): Json | undefined =>
  Object.hasOwn(object, name) ? object[name] : undefined;
