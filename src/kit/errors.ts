// One error class for the whole house. `kind` and `code` are the only things that control flow may look at;
// the sentence is for people. Areas declare their codes in an `errors.ts` of their own with `errorTable`.

/**
 * Who must act on an error.
 * - `refused`: the input is wrong; retrying does not help; tell the sender.
 * - `unavailable`: a neighbour is away; retry with back-off and report degraded health.
 * - `broken`: a promise of our own failed; stop the process.
 */
export type ErrorKind = 'refused' | 'unavailable' | 'broken';

/** Plain JSON that becomes log fields unchanged. */
export type ErrorDetails = Readonly<Record<string, unknown>>;

export class SkerryError extends Error {
  readonly code: string;
  readonly kind: ErrorKind;
  readonly details: ErrorDetails;

  constructor(
    code: string,
    kind: ErrorKind,
    message: string,
    context: { details?: ErrorDetails; cause?: unknown } = {},
  ) {
    super(message, context.cause === undefined ? undefined : { cause: context.cause });
    this.name = 'SkerryError';
    this.code = code;
    this.kind = kind;
    this.details = context.details ?? {};
  }
}

export interface ErrorDefinition<D extends ErrorDetails> {
  readonly kind: ErrorKind;
  /** The sentence a person reads: it names the field, file, topic or option, and the way out. */
  readonly message: (details: D) => string;
}

/** Makes the error of one code; `is` tells whether a caught value carries that code. */
export interface ErrorFactory<D extends ErrorDetails> {
  (details: D, cause?: unknown): SkerryError;
  readonly code: string;
  readonly kind: ErrorKind;
  is(error: unknown): boolean;
}

type Table<T> = { readonly [C in keyof T]: T[C] extends ErrorDefinition<infer D> ? ErrorFactory<D> : never };

/** Turns a table of definitions into one factory per code. `docs/reference/errors.md` lists every code (tested). */
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- the details type differs per entry and is inferred per entry
export function errorTable<const T extends Record<string, ErrorDefinition<any>>>(definitions: T): Table<T> {
  const entries = Object.entries(definitions).map(([code, definition]) => [code, errorFactory(code, definition)]);
  return Object.freeze(Object.fromEntries(entries)) as Table<T>;
}

function errorFactory<D extends ErrorDetails>(code: string, definition: ErrorDefinition<D>): ErrorFactory<D> {
  const make = (details: D, cause?: unknown): SkerryError =>
    new SkerryError(code, definition.kind, definition.message(details), { details, cause });
  return Object.assign(make, {
    code,
    kind: definition.kind,
    is: (error: unknown): boolean => error instanceof SkerryError && error.code === code,
  });
}

/** True for the error an aborted `AbortSignal` causes: an abort ends a task quietly and is not a failure. */
export function isAbort(error: unknown): boolean {
  return error instanceof Error && (error.name === 'AbortError' || error.name === 'TimeoutError');
}

/** The machine code of any caught value: ours, Node's (`EADDRINUSE`), or `undefined`. */
export function codeOf(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}

/** One line for people out of any caught value, with the causes behind it. */
export function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const own = error.message === '' ? error.name : error.message;
  return error.cause === undefined ? own : `${own} (${messageOf(error.cause)})`;
}
