// JSON as this folder passes it around: plain values that nobody changes in place. Every rule here takes values and
// answers with new ones, so a stored object can be shared between a reader, a watcher and a writer without copies.
import { isDeepStrictEqual } from 'node:util';

export type Json = null | boolean | number | string | readonly Json[] | JsonObject;

export interface JsonObject {
  readonly [key: string]: Json | undefined;
}

/** The part of an object that every Kubernetes kind shares. */
export interface ObjectMeta extends JsonObject {
  readonly name: string;
  readonly namespace?: string;
  readonly uid?: string;
  readonly resourceVersion?: string;
  readonly generation?: number;
  readonly creationTimestamp?: string;
  readonly deletionTimestamp?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly finalizers?: readonly string[];
}

export interface KubeObject extends JsonObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: ObjectMeta;
}

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function isList(value: unknown): value is readonly Json[] {
  return Array.isArray(value);
}

/** The value as an object; anything else counts as an empty one. */
export function objectOf(value: unknown): JsonObject {
  return isObject(value) ? value : {};
}

export function listOf(value: unknown): readonly Json[] {
  return isList(value) ? value : [];
}

export function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

/** The value at a path of member names, or `undefined` where the path leaves the objects. */
export function valueAt(value: Json | undefined, path: readonly string[]): Json | undefined {
  let here = value;
  for (const name of path) {
    if (!isObject(here) || !Object.hasOwn(here, name)) return undefined;
    here = here[name];
  }
  return here;
}

/** The same object with one member set, or taken away when the value is `undefined`. */
export function withMember<T extends JsonObject>(object: T, name: string, value: Json | undefined): T {
  if (value !== undefined) return { ...object, [name]: value };
  return Object.hasOwn(object, name) ? (without(object, name) as T) : object;
}

/** The object with every member changed, or taken away by `undefined`; the very same object when none changes. */
export function mapMembers(object: JsonObject, change: (value: Json, name: string) => Json | undefined): JsonObject {
  const names = Object.keys(object);
  const changed = names.map((name) => change(object[name] ?? null, name));
  if (names.every((name, index) => changed[index] === object[name])) return object;
  return Object.fromEntries(
    names.map((name, index) => [name, changed[index]] as const).filter(([, value]) => value !== undefined),
  );
}

/** The list with every item changed; the very same list when none changes. */
export function mapItems(list: readonly Json[], change: (item: Json, index: number) => Json): readonly Json[] {
  const changed = list.map(change);
  return changed.every((item, index) => item === list[index]) ? list : changed;
}

/** The same object without some of its members. */
export function without(object: JsonObject, ...names: readonly string[]): JsonObject {
  return Object.fromEntries(Object.entries(object).filter(([name]) => !names.includes(name)));
}

/** The same value with one place changed; objects on the way are made where they are missing. */
export function withValueAt(value: JsonObject, path: readonly string[], put: Json | undefined): JsonObject {
  const [name, ...rest] = path;
  if (name === undefined) return value;
  if (rest.length === 0) return withMember(value, name, put);
  if (put === undefined && !isObject(value[name])) return value;
  return withMember(value, name, withValueAt(objectOf(value[name]), rest, put));
}

export function sameJson(left: unknown, right: unknown): boolean {
  return isDeepStrictEqual(left, right);
}

/** JSON's own name for the type of a value, as Kubernetes' messages use it. */
export function typeOfJson(value: Json): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'array';
  if (typeof value === 'number') return Number.isInteger(value) ? 'integer' : 'number';
  return typeof value;
}
