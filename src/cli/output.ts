import { codeOf, messageOf, SkerryError } from '../kit/errors.ts';

/** Writes a line to standard output; when nobody reads it any more (a closed pipe), nothing happens. */
export function printLine(text: string): void {
  process.stdout.write(`${text}\n`);
}

export function printJson(value: unknown): void {
  printLine(JSON.stringify(value));
}

/** One sentence for people on standard error, or one JSON line for machines on standard output. */
export function printError(error: unknown, isJson: boolean): void {
  const code = codeOf(error) ?? 'UNEXPECTED';
  if (isJson)
    printJson({
      error: { code, message: messageOf(error), ...(error instanceof SkerryError ? { details: error.details } : {}) },
    });
  else process.stderr.write(`skerry: ${error instanceof SkerryError ? error.message : messageOf(error)}\n`);
}
