// The fields that a manager owns. Outside they are a tree (`fieldsV1`): `f:name` is a member, `k:{"name":"a"}` an item of a list
// with keys, `v:1` a value of a set, `.` the thing itself. Here they are a set of paths, so that ownership is set arithmetic.
import { objectOf, type Json, type JsonObject } from '../../json.ts';

/** The elements of one path, as they stand in `fieldsV1`. */
export type FieldPath = readonly string[];

/** Paths in their text form. */
export type FieldSet = ReadonlySet<string>;

export const pathKey = (path: FieldPath): string => JSON.stringify(path);
export const pathOfKey = (key: string): FieldPath => JSON.parse(key) as FieldPath;

export const union = (...sets: readonly FieldSet[]): FieldSet => new Set(sets.flatMap((set) => [...set]));
export const minus = (set: FieldSet, other: FieldSet): FieldSet => new Set([...set].filter((key) => !other.has(key)));
export const sameSet = (left: FieldSet, right: FieldSet): boolean =>
  left.size === right.size && [...left].every((key) => right.has(key));

export function decodeFields(tree: Json | undefined): FieldSet {
  const found: string[] = [];
  collect(objectOf(tree), [], found);
  return new Set(found);
}

function collect(tree: JsonObject, path: FieldPath, found: string[]): void {
  const elements = Object.entries(tree);
  if (path.length > 0 && (elements.length === 0 || tree['.'] !== undefined)) found.push(pathKey(path));
  for (const [element, below] of elements) if (element !== '.') collect(objectOf(below), [...path, element], found);
}

interface Node {
  isMember: boolean;
  readonly below: Map<string, Node>;
}

export function encodeFields(set: FieldSet): JsonObject {
  const root = newNode();
  for (const key of [...set].sort()) {
    let node = root;
    for (const element of pathOfKey(key)) {
      const next = node.below.get(element) ?? newNode();
      node.below.set(element, next);
      node = next;
    }
    node.isMember = true;
  }
  return treeOf(root);
}

const newNode = (): Node => ({ isMember: false, below: new Map() });

function treeOf({ isMember, below }: Node): JsonObject {
  const own = isMember && below.size > 0 ? [['.', {}] as const] : [];
  return Object.fromEntries([...own, ...[...below].map(([element, node]) => [element, treeOf(node)] as const)]);
}

/** `.spec.containers[name="a"].image`, as people read a path. */
export function pathText(path: FieldPath): string {
  return path.map(elementText).join('');
}

function elementText(element: string): string {
  const rest = element.slice(2);
  if (element.startsWith('f:')) return `.${rest}`;
  if (element.startsWith('v:')) return `[=${rest}]`;
  const keys = Object.entries(JSON.parse(rest) as JsonObject).map(
    ([name, value]) => `${name}=${JSON.stringify(value)}`,
  );
  return `[${keys.join(',')}]`;
}
