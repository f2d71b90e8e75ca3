import type { LogFields, Logger } from '../../src/kit/logger.ts';

/** Keeps what a person would have to act on. */
export class WarningLog implements Logger {
  readonly warnings: string[] = [];

  error(fields: LogFields, message: string): void {
    this.warnings.push(`${message} ${JSON.stringify(fields)}`);
  }

  warn(fields: LogFields, message: string): void {
    this.warnings.push(`${message} ${JSON.stringify(fields)}`);
  }

  info(_fields: LogFields, _message: string): void {
    // Nobody has to act on it.
  }

  debug(_fields: LogFields, _message: string): void {
    // Nobody has to act on it.
  }

  child(): Logger {
    return this;
  }
}
