// Server-side apply: a manager states what it wants; fields that others manage with another value are conflicts, unless forced.
import { objectOf, sameJson, type Json, type JsonObject, type KubeObject } from '../../json.ts';
import type { Schema } from '../../schema/schema.ts';
import { StatusError, type StatusCause } from '../../status.ts';
import { minus, pathOfKey, pathText, union, type FieldSet } from './field-set.ts';
import { HERE, fieldsOf, type FieldValues } from './fields-of.ts';
import { isSameWriter, managersOf, withFields, type Manager, type Writer } from './managers.ts';
import { mergeFields, removeField } from './merge-fields.ts';

export interface Application {
  readonly schema: Schema;
  readonly config: JsonObject;
  readonly writer: Writer;
  /** Take fields from their managers instead of refusing. */
  readonly force: boolean;
}

export interface Applied {
  readonly object: JsonObject;
  readonly managers: readonly Manager[];
}

interface Conflict {
  readonly manager: Manager;
  readonly keys: FieldSet;
}

export function applied({ schema, config, writer, force }: Application, live: KubeObject): Applied {
  const wanted = fieldsOf(schema, config);
  const mine = new Set(wanted.keys());
  const all = managersOf(live);
  const conflicts = conflictsOf(
    wanted,
    fieldsOf(schema, live),
    all.filter((each) => !isSameWriter(each, writer)),
  );
  if (conflicts.length > 0 && !force) throw applyConflict(conflicts);
  const managers = all.map((each) => without(each, conflicts));
  const before = managers.find((each) => isSameWriter(each, writer))?.fields ?? new Set<string>();
  const ofOthers = union(...managers.filter((each) => !isSameWriter(each, writer)).map(({ fields }) => fields));
  const given = notAbove(minus(minus(before, mine), ofOthers), ofOthers);
  const merged = mergeFields(schema, live, config);
  return { object: objectOf(removed(schema, merged, given)), managers: withFields(managers, writer, mine) };
}

/** Maps and items are shared by all who have something in them; only values can conflict. */
function conflictsOf(wanted: FieldValues, live: FieldValues, others: readonly Manager[]): readonly Conflict[] {
  const differing = [...wanted].filter(
    ([key, value]) => value !== HERE && live.has(key) && !sameJson(live.get(key), value),
  );
  return others.flatMap((manager) => {
    const keys = new Set(differing.map(([key]) => key).filter((key) => manager.fields.has(key)));
    return keys.size === 0 ? [] : [{ manager, keys }];
  });
}

function without(manager: Manager, conflicts: readonly Conflict[]): Manager {
  const lost = conflicts.find((each) => each.manager === manager);
  return lost === undefined ? manager : { ...manager, fields: minus(manager.fields, lost.keys) };
}

/** Without the paths that lead to something in `below`: what others have something in stays. */
function notAbove(keys: FieldSet, below: FieldSet): FieldSet {
  const others = [...below];
  return new Set([...keys].filter((key) => !others.some((each) => each.startsWith(`${key.slice(0, -1)},`))));
}

/** Shorter paths first: an item that goes takes its members along. */
function removed(schema: Schema, value: Json, keys: FieldSet): Json {
  const paths = [...keys].map(pathOfKey).sort((left, right) => left.length - right.length);
  return paths.reduce((rest, path) => removeField(schema, rest, path), value);
}

function applyConflict(conflicts: readonly Conflict[]): StatusError {
  const causes = conflicts.flatMap(({ manager, keys }) =>
    [...keys].map((key) => causeOf(manager, pathText(pathOfKey(key)))),
  );
  const list = causes.map(({ message, field }) => `${message}: ${field}`).join(', ');
  const count = `${causes.length} conflict${causes.length === 1 ? '' : 's'}`;
  return new StatusError(409, 'Conflict', `Apply failed with ${count}: ${list}`, { causes });
}

function causeOf({ name, operation, apiVersion }: Manager, field: string): StatusCause {
  const using = operation === 'Update' ? ` using ${apiVersion}` : '';
  return { reason: 'FieldManagerConflict', message: `conflict with ${JSON.stringify(name)}${using}`, field };
}
