// How connections end: counted by reason, and said in the log where a limit ended them. One misbehaving client can make as many
// endings as it likes, so that not every one gets a line.
import type { Client } from 'aedes';
import { codeOf, messageOf, SkerryError } from '../src/kit/errors.ts';
import type { Logger } from '../src/kit/logger.ts';
import { Tally } from '../src/kit/metrics.ts';
import { Sampler } from '../src/kit/sampler.ts';
import { seconds } from '../src/kit/units.ts';
import type { Departure } from './client-watcher.ts';
import { brokerErrors, type LimitReached } from './errors.ts';

/** Why a connection is not let in. */
export const REFUSALS = [
  'connections',
  'address-connections',
  'sessions',
  'will-bytes',
  'client-id-bytes',
  'client-id-missing',
  'client-id-taken',
  'origin',
  'credentials',
  'tls',
  'forbidden',
  'keepalive',
  'unannounced',
  'connect-timeout',
  'packet',
  'filters',
  'unfinished',
  'stalled',
  'protocol',
] as const;

/** Why a connection ends that was let in. */
export const ENDS = [
  'disconnected',
  'replaced',
  'lost',
  'silent',
  'packet',
  'filters',
  'inflight',
  'backlog',
  'unfinished',
  'stalled',
  'forbidden',
  'rights',
  'unavailable',
  'protocol',
  'stopped',
] as const;

type Refusal = (typeof REFUSALS)[number];
type End = (typeof ENDS)[number];

/** Log lines of one reason in one time. */
const LINES = 5;
const LINES_PER = seconds(10);
/** Of a client id, which may be as long as its client likes. */
const SHOWN = 100;

const REASON_OF_CODE: Readonly<Record<string, Refusal | End>> = {
  [brokerErrors.BROKER_CLIENT_ID_MISSING.code]: 'client-id-missing',
  [brokerErrors.BROKER_TOPIC_FORBIDDEN.code]: 'forbidden',
  [brokerErrors.BROKER_GATE_UNAVAILABLE.code]: 'unavailable',
  [brokerErrors.BROKER_CLIENT_ID_TAKEN.code]: 'client-id-taken',
  [brokerErrors.BROKER_CREDENTIALS_REFUSED.code]: 'credentials',
  [brokerErrors.BROKER_ORIGIN_REFUSED.code]: 'origin',
  [brokerErrors.BROKER_TLS_REFUSED.code]: 'tls',
  [brokerErrors.BROKER_RIGHTS_TAKEN.code]: 'rights',
};

/** Somebody was refused, and a person may want to know; all else that ends a connection is a client's own affair. */
const SAID: ReadonlySet<string> = new Set<Refusal | End>(['client-id-taken', 'credentials', 'tls', 'rights', 'origin']);

interface Who {
  readonly client?: string | null;
  readonly address: string;
}

export class Endings {
  readonly #refused = new Tally(REFUSALS);
  readonly #ended = new Tally(ENDS);
  readonly #lines = new Sampler<string>(LINES, LINES_PER);
  readonly #reasons = new WeakMap<Client, string>();
  readonly #logger: Logger;

  constructor(tools: { readonly logger: Logger }) {
    this.#logger = tools.logger;
  }

  get counts(): { readonly refused: Readonly<Record<Refusal, number>>; readonly ended: Readonly<Record<End, number>> } {
    return { refused: this.#refused.counts, ended: this.#ended.counts };
  }

  /** A connection that was not let in is being closed for this. */
  refuse(error: unknown, who: Who): void {
    const reason = reasonOf(error);
    if (isOneOf(REFUSALS, reason)) this.#refused.add(reason);
    this.#say(reason, error, who);
  }

  /** A client's connection is being closed for this; it counts when the client has left. */
  fail(client: Client, error: unknown, who: Who): void {
    const reason = reasonOf(error);
    if (!this.#reasons.has(client)) this.#reasons.set(client, reason);
    this.#say(reason, error, who);
  }

  /** Nothing came from it in one and a half of its keepalive times. */
  fallSilent(client: Client): void {
    this.#reasons.set(client, 'silent' satisfies End);
  }

  leave(client: Client, how: Departure, isStopping: boolean): void {
    const reason = this.#reasons.get(client) ?? (isStopping ? 'stopped' : 'lost');
    if (how !== 'lost') this.#ended.add(how);
    else this.#ended.add(isOneOf(ENDS, reason) ? reason : 'lost');
  }

  #say(reason: string, error: unknown, who: Who): void {
    const met = limitIn(error);
    const client = (who.client ?? met?.client ?? clientIn(error))?.slice(0, SHOWN);
    const fields = { client, address: who.address, reason };
    if (met === undefined && !SAID.has(reason)) {
      const problem = messageOf(error);
      this.#logger.debug({ ...fields, code: codeOf(error), problem }, 'connection closed for an error');
      return;
    }
    const leftOut = this.#lines.take(reason, performance.now());
    if (leftOut === undefined) return;
    const limit = met && { limit: met.limit, option: met.option };
    this.#logger.warn({ ...fields, ...limit, ...(leftOut > 0 && { linesLeftOut: leftOut }) }, messageOf(error));
  }
}

/** What the system says of a broken connection has a code; what Aedes and its parser say of a bad packet has none. */
function reasonOf(error: unknown): string {
  const code = codeOf(error);
  if (!(error instanceof SkerryError)) return (code?.startsWith('WS_ERR_') ?? true) ? 'protocol' : 'lost';
  return limitIn(error)?.reason ?? REASON_OF_CODE[error.code] ?? 'protocol';
}

/** Where Aedes does not know yet who it is. */
function clientIn(error: unknown): string | undefined {
  if (!(error instanceof SkerryError)) return undefined;
  return (error.details as { readonly client?: string }).client;
}

function limitIn(error: unknown): LimitReached | undefined {
  if (!(error instanceof SkerryError) || !brokerErrors.BROKER_LIMIT_REACHED.is(error)) return undefined;
  return error.details as LimitReached;
}

const isOneOf = <R extends string>(reasons: readonly R[], reason: string): reason is R =>
  (reasons as readonly string[]).includes(reason);
