// JSON patch (RFC 6902) through the rfc6902 library, which changes its input: it gets a copy, and all errors become one answer.
import { applyPatch, type Operation } from 'rfc6902';
import { isList, isObject, textOf, type Json, type JsonObject } from '../json.ts';
import { StatusError, badRequest } from '../status.ts';

const OPERATIONS = new Set(['add', 'remove', 'replace', 'move', 'copy', 'test']);
const FORBIDDEN = /(^|\/)(__proto__|constructor|prototype)(\/|$)/;

/** Applies every operation or none. A patch of the wrong form is a bad request; one that does not fit the object is invalid. */
export function jsonPatch(target: JsonObject, patch: Json): Json {
  if (!isList(patch)) throw badRequest('a JSON patch must be a list of operations');
  patch.forEach(checkOperation);
  const copy = structuredClone<JsonObject>(target);
  const failures = applyPatch(copy, patch as unknown as Operation[]);
  const failed = failures.findIndex((failure) => failure !== null);
  if (failed !== -1) throw notApplicable(patch[failed], failures[failed]?.message ?? 'failed');
  return copy;
}

function checkOperation(operation: Json, index: number): void {
  if (!isObject(operation) || typeof operation['path'] !== 'string' || !OPERATIONS.has(textOf(operation['op']))) {
    throw badRequest(`operation ${index} of the JSON patch needs "op" (${[...OPERATIONS].join(', ')}) and "path"`);
  }
  if (FORBIDDEN.test(operation['path'])) throw badRequest(`operation ${index} of the JSON patch has a forbidden path`);
}

function notApplicable(operation: Json | undefined, why: string): StatusError {
  const { op, path } = operation as { op: string; path: string };
  return new StatusError(422, 'Invalid', `the JSON patch does not fit the object: ${op} ${path}: ${why}`, {});
}
