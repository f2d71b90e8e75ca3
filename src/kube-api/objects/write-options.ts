import { textOf, type JsonObject } from '../json.ts';
import type { FieldValidation } from '../rules/shape.ts';
import type { Subresource } from '../rules/write-rules.ts';
import { StatusError, badRequest } from '../status.ts';

export interface WriteOptions {
  /** Everything is done and answered as usual, but nothing is stored. */
  readonly isDryRun: boolean;
  readonly fieldValidation: FieldValidation;
  readonly fieldManager: string;
  /** Server-side apply: take fields from other managers. */
  readonly force: boolean;
  readonly subresource: Subresource;
}

export interface DeleteOptions {
  readonly isDryRun: boolean;
  readonly uid?: string;
  readonly resourceVersion?: string;
}

const VALIDATIONS: readonly FieldValidation[] = ['Strict', 'Warn', 'Ignore'];

export function writeOptionsOf(query: URLSearchParams, agent: string, subresource: Subresource): WriteOptions {
  const asked = query.get('fieldValidation') ?? 'Warn';
  const fieldValidation = VALIDATIONS.find((each) => each === asked);
  if (fieldValidation === undefined) throw badRequest(`fieldValidation must be one of ${VALIDATIONS.join(', ')}`);
  return {
    isDryRun: isDryRun(query.getAll('dryRun')),
    fieldValidation,
    fieldManager: query.get('fieldManager') ?? (agent.split('/')[0] || 'unknown'),
    force: query.get('force') === 'true',
    subresource,
  };
}

/** Delete options come in the query, in the body, or in both. */
export function deleteOptionsOf(query: URLSearchParams, body: JsonObject): DeleteOptions {
  const preconditions = body['preconditions'] as JsonObject | undefined;
  const uid = textOf(preconditions?.['uid']);
  const resourceVersion = textOf(preconditions?.['resourceVersion']);
  const dryRun = [...query.getAll('dryRun'), ...((body['dryRun'] ?? []) as readonly string[])];
  return {
    isDryRun: isDryRun(dryRun),
    ...(uid === '' ? {} : { uid }),
    ...(resourceVersion === '' ? {} : { resourceVersion }),
  };
}

function isDryRun(values: readonly string[]): boolean {
  const asked = values.filter((value) => value !== '');
  if (asked.some((value) => value !== 'All')) {
    throw new StatusError(
      422,
      'Invalid',
      `dryRun: Unsupported value: ${JSON.stringify(asked)}: supported values: "All"`,
      {},
    );
  }
  return asked.length > 0;
}
