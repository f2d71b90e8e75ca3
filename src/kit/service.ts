import type { Deadline } from './deadline.ts';

export interface Health {
  readonly state: 'ok' | 'degraded' | 'failing';
  /** A sentence for people; absent when `ok`. */
  readonly reason?: string;
}

export const HEALTHY: Health = Object.freeze({ state: 'ok' });

/** Everything that runs. Constructors only store; nothing is open before `start`. */
export interface Service {
  readonly name: string;
  /** Resolves when ready to serve. Rejects, leaving nothing open, when it cannot or when `signal` aborts first. */
  start(signal: AbortSignal): Promise<void>;
  /** Finishes work in flight until the deadline, then lets go. Safe to call twice, and before start. Never rejects. */
  stop(deadline: Deadline): Promise<void>;
  health(): Health;
  /** Present on services that can fail after start: settles with that failure, or `undefined` after a stop. Never rejects. */
  readonly ended?: Promise<unknown>;
}
