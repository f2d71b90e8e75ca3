import type { IncomingMessage } from 'node:http';
import type { ResourceKind } from '../kinds/resource-kind.ts';
import type { IncludeObject } from '../tables/table.ts';
import { badRequest } from '../status.ts';
import type { ObjectForm } from './accept.ts';

/** A request on a kind that exists, with its address read. */
export interface Call {
  readonly kind: ResourceKind;
  /** Absent: all namespaces (or a kind outside namespaces). */
  readonly namespace: string | undefined;
  readonly name: string | undefined;
  readonly subresource: 'status' | undefined;
  readonly form: ObjectForm;
  readonly query: URLSearchParams;
  readonly method: string;
  readonly request: IncomingMessage;
}

export const agentOf = ({ request }: Call): string => request.headers['user-agent'] ?? '';

export function includeObjectOf({ query }: Call): IncludeObject {
  const asked = query.get('includeObject') ?? 'Metadata';
  if (asked === 'None' || asked === 'Metadata' || asked === 'Object') return asked;
  throw badRequest(`unrecognized includeObject value: ${JSON.stringify(asked)}`);
}

export const isTrue = (value: string | null): boolean => value === 'true' || value === '1';

/** A whole number that a query names; `missing` where it names none. */
export function numberOf(query: URLSearchParams, name: string, missing: number): number {
  const text = query.get(name) ?? '';
  if (text === '') return missing;
  if (!/^\d{1,15}$/.test(text))
    throw badRequest(`${name}: Invalid value: ${JSON.stringify(text)}: must be a whole number`);
  return Number(text);
}
