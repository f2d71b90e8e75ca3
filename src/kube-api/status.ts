// What a client did wrong, in Kubernetes' words. A StatusError is thrown anywhere while a request is answered and becomes the
// body of the answer in `rest/respond.ts`; it never leaves this folder.
import type { Json, JsonObject } from './json.ts';

export interface StatusCause {
  readonly reason: string;
  readonly message: string;
  readonly field: string;
}

export interface StatusDetails {
  readonly name?: string;
  readonly group?: string;
  readonly kind?: string;
  readonly uid?: string;
  readonly causes?: readonly StatusCause[];
  readonly retryAfterSeconds?: number;
}

/** The names of a kind as messages use them. */
export interface Named {
  readonly group: string;
  readonly kind: string;
  readonly plural: string;
}

export class StatusError extends Error {
  readonly code: number;
  readonly reason: string;
  readonly details: StatusDetails | undefined;

  constructor(code: number, reason: string, message: string, details?: StatusDetails) {
    super(message);
    this.name = 'StatusError';
    this.code = code;
    this.reason = reason;
    this.details = details;
  }

  toStatus(): JsonObject {
    const details = this.details === undefined ? {} : { details: this.details as unknown as Json };
    return {
      kind: 'Status',
      apiVersion: 'v1',
      metadata: {},
      status: 'Failure',
      message: this.message,
      reason: this.reason,
      ...details,
      code: this.code,
    };
  }
}

const qualified = (name: string, group: string): string => (group === '' ? name : `${name}.${group}`);
const detailsOf = (kind: Named, name: string): StatusDetails => ({ name, group: kind.group, kind: kind.plural });

export const notFound = (kind: Named, name: string): StatusError =>
  new StatusError(
    404,
    'NotFound',
    `${qualified(kind.plural, kind.group)} ${JSON.stringify(name)} not found`,
    detailsOf(kind, name),
  );

export const unknownPath = (): StatusError =>
  new StatusError(404, 'NotFound', 'the server could not find the requested resource', {});

export const alreadyExists = (kind: Named, name: string): StatusError =>
  new StatusError(
    409,
    'AlreadyExists',
    `${qualified(kind.plural, kind.group)} ${JSON.stringify(name)} already exists`,
    detailsOf(kind, name),
  );

export const conflict = (kind: Named, name: string, why = STALE): StatusError =>
  new StatusError(
    409,
    'Conflict',
    `Operation cannot be fulfilled on ${qualified(kind.plural, kind.group)} ${JSON.stringify(name)}: ${why}`,
    detailsOf(kind, name),
  );

const STALE = 'the object has been modified; please apply your changes to the latest version and try again';

export function invalid(kind: Named, name: string, causes: readonly StatusCause[]): StatusError {
  const said = causes.map((cause) => `${cause.field}: ${cause.message}`);
  const list = said.length === 1 ? said[0] : `[${said.join(', ')}]`;
  const message = `${qualified(kind.kind, kind.group)} ${JSON.stringify(name)} is invalid: ${list ?? ''}`;
  return new StatusError(422, 'Invalid', message, { name, group: kind.group, kind: kind.kind, causes });
}

export const forbidden = (kind: Named, name: string, why: string, causes: readonly StatusCause[] = []): StatusError =>
  new StatusError(
    403,
    'Forbidden',
    `${qualified(kind.plural, kind.group)} ${JSON.stringify(name)} is forbidden: ${why}`,
    { ...detailsOf(kind, name), ...(causes.length === 0 ? {} : { causes }) },
  );

export const badRequest = (message: string): StatusError => new StatusError(400, 'BadRequest', message);
export const unauthorized = (): StatusError => new StatusError(401, 'Unauthorized', 'Unauthorized');
export const expired = (message: string): StatusError => new StatusError(410, 'Expired', message);
export const notAcceptable = (accepted: string): StatusError =>
  new StatusError(406, 'NotAcceptable', `only the following media types are accepted: ${accepted}`);
export const unsupportedMediaType = (message: string): StatusError =>
  new StatusError(415, 'UnsupportedMediaType', message);
export const tooLarge = (limit: number): StatusError =>
  new StatusError(413, 'RequestEntityTooLarge', `the request body is larger than the limit of ${limit} bytes`);
export const methodNotAllowed = (kind: Named, verb: string): StatusError =>
  new StatusError(
    405,
    'MethodNotAllowed',
    `${verb} is not supported on resources of kind ${JSON.stringify(qualified(kind.plural, kind.group))}`,
    { group: kind.group, kind: kind.plural },
  );
export const internalError = (): StatusError =>
  new StatusError(500, 'InternalError', 'Internal error occurred: the server has logged what went wrong');
