// Status of devices into Kubernetes, coalesced: at most one write per device and interval, of everything that came meanwhile.
// A change is a pure function, so it can be applied again over whatever somebody else wrote. Every caller learns when a write
// that holds its change has succeeded; nothing is reported as kept before. While the API server is away, one device at a time asks.
import { setMaxListeners } from 'node:events';
import { backoffDelay } from '../../kit/backoff.ts';
import { Deadline } from '../../kit/deadline.ts';
import { messageOf, SkerryError } from '../../kit/errors.ts';
import type { Logger } from '../../kit/logger.ts';
import { SharedBackoff } from '../../kit/shared-backoff.ts';
import { HEALTHY, type Health, type Service } from '../../kit/service.ts';
import { ms, seconds, type Duration } from '../../kit/units.ts';
import type { DeviceApi } from './device-api.ts';
import { kubeErrors } from './errors.ts';
import type { DeviceResource, DeviceStatus } from './resources.ts';

/** Gives the same object back when it changes nothing. */
export type StatusChange = (status: DeviceStatus, device: DeviceResource) => DeviceStatus;

/** `abandoned`: the hub stops before it was written. */
export type StatusOutcome = 'written' | 'unchanged' | 'gone' | 'abandoned' | { readonly refused: string };

export interface StatusWriterConfig {
  readonly interval: Duration;
}

interface Waiting {
  readonly change: StatusChange;
  readonly settle: (outcome: StatusOutcome) => void;
}

interface Entry {
  readonly key: string;
  waiting: Waiting[];
  /** `idle`: nothing to do; `timed`: waits for its moment; `queued`: its moment has come; `writing`: a write is under way. */
  phase: 'idle' | 'timed' | 'queued' | 'writing';
  timer: NodeJS.Timeout | undefined;
  /** No write before this moment, unless urgent. */
  notBefore: number;
  failures: number;
  /** So many of those that wait go alone, because the API server refused them together. */
  singly: number;
}

const PARALLEL_WRITES = 32;
const RETRY = { first: ms(200), most: seconds(10) };
/** All devices together, so that thousands of them are no storm, and the first to get through opens the way for all. */
const AWAY = { first: ms(200), most: seconds(4) };
/** Somebody else writes this device's status all the time: leave it for later. */
const CONFLICTS = 8;
/** What writes under way get when the hub stops: an API server that does not answer must not use up its deadline. */
const STOP_GRACE = ms(2500);
const CONTENDED = kubeErrors.KUBE_UNAVAILABLE({
  ...{ method: 'PUT', path: 'status' },
  reason: 'somebody else writes this status all the time',
});
const NO_STATUS: DeviceStatus = Object.freeze({});

export class StatusWriter implements Service {
  readonly name = 'status-writer';
  readonly #interval: Duration;
  readonly #api: DeviceApi;
  readonly #logger: Logger;
  readonly #entries = new Map<string, Entry>();
  readonly #queue: Entry[] = [];
  readonly #active = new Set<Promise<void>>();
  readonly #abort = new AbortController();
  readonly #backoff = new SharedBackoff(AWAY, PARALLEL_WRITES);
  #resuming: NodeJS.Timeout | undefined;
  #pumping: NodeJS.Immediate | undefined;
  #stopped = false;
  #reason: string | undefined;

  constructor(config: StatusWriterConfig, tools: { readonly api: DeviceApi; readonly logger: Logger }) {
    this.#interval = config.interval;
    this.#api = tools.api;
    this.#logger = tools.logger;
    // Every write under way listens.
    setMaxListeners(0, this.#abort.signal);
  }

  start(_signal: AbortSignal): Promise<void> {
    return Promise.resolve();
  }

  /** Lets writes under way finish for a moment; what waits for its interval is given up, and its callers are told. */
  async stop(deadline: Deadline): Promise<void> {
    this.#stopped = true;
    clearImmediate(this.#pumping);
    clearTimeout(this.#resuming);
    for (const entry of this.#entries.values()) clearTimeout(entry.timer);
    const grace = Deadline.after(ms(Math.min(STOP_GRACE, deadline.remaining())));
    await grace.wait(Promise.all(this.#active), undefined);
    this.#abort.abort();
    for (const entry of this.#entries.values()) settleAll(entry.waiting.splice(0), 'abandoned');
  }

  health(): Health {
    return this.#reason === undefined ? HEALTHY : { state: 'degraded', reason: `status writes: ${this.#reason}` };
  }

  /** Devices that it has something to do for, or wrote within the interval. */
  get size(): number {
    return this.#entries.size;
  }

  /** Resolves once the change is kept, or will not be. Never rejects. `now` does not wait for the interval. */
  update(key: string, change: StatusChange, when: 'coalesced' | 'now' = 'coalesced'): Promise<StatusOutcome> {
    if (this.#stopped) return Promise.resolve('abandoned');
    return new Promise((settle) => {
      const entry = this.#entryOf(key);
      entry.waiting.push({ change, settle });
      this.#schedule(entry, when === 'now' ? 0 : entry.notBefore - performance.now());
    });
  }

  #entryOf(key: string): Entry {
    const known = this.#entries.get(key);
    if (known !== undefined) return known;
    const made: Entry = { key, waiting: [], phase: 'idle', timer: undefined, notBefore: 0, failures: 0, singly: 0 };
    this.#entries.set(key, made);
    return made;
  }

  #schedule(entry: Entry, wait: number): void {
    if (entry.phase === 'writing' || entry.phase === 'queued') return;
    if (entry.phase === 'timed' && wait > 0) return;
    clearTimeout(entry.timer);
    if (wait <= 0) {
      this.#enqueue(entry);
      return;
    }
    entry.phase = 'timed';
    entry.timer = setTimeout(() => this.#enqueue(entry), wait);
  }

  /** The turn of the event loop ends first, so that changes that arrived together are written together. */
  #enqueue(entry: Entry): void {
    entry.phase = 'queued';
    this.#queue.push(entry);
    this.#pumping ??= setImmediate(() => {
      this.#pumping = undefined;
      this.#pump();
    });
  }

  #pump(): void {
    while (!this.#stopped && this.#active.size < this.#backoff.places) {
      const entry = this.#queue.shift();
      if (entry === undefined) return;
      const writing = this.#flush(entry).finally(() => {
        this.#active.delete(writing);
        this.#pump();
      });
      this.#active.add(writing);
    }
    this.#resumeLater();
  }

  /** What is queued while nobody may ask goes on by itself. */
  #resumeLater(): void {
    if (this.#stopped || this.#queue.length === 0 || this.#backoff.wait === 0) return;
    clearTimeout(this.#resuming);
    this.#resuming = setTimeout(() => this.#pump(), this.#backoff.wait);
  }

  async #flush(entry: Entry): Promise<void> {
    const taken = entry.waiting.splice(0, entry.singly > 0 ? 1 : entry.waiting.length);
    entry.phase = 'writing';
    const begun = performance.now();
    try {
      const outcome = await this.#write(entry.key, taken);
      this.#backoff.succeeded();
      if (outcome === 'written') entry.notBefore = begun + this.#interval;
      entry.failures = 0;
      this.#reason = undefined;
      settle(entry, taken, outcome);
    } catch (error) {
      this.#failed(entry, taken, error);
    }
    entry.phase = 'idle';
    if (!this.#stopped) this.#goOn(entry);
  }

  /** To the next write of this device, or, after the interval, out of memory. */
  #goOn(entry: Entry): void {
    const wait = entry.notBefore - performance.now();
    if (entry.waiting.length > 0) this.#schedule(entry, entry.singly > 0 && entry.failures === 0 ? 0 : wait);
    else if (wait <= 0) this.#entries.delete(entry.key);
    else entry.timer = setTimeout(() => this.#entries.delete(entry.key), wait).unref();
  }

  async #write(key: string, taken: readonly Waiting[]): Promise<StatusOutcome> {
    for (let attempt = 0; attempt < CONFLICTS; attempt += 1) {
      const device = this.#api.get(key);
      if (device === undefined) return 'gone';
      const before = device.status ?? NO_STATUS;
      const after = taken.reduce((status, { change }) => change(status, device), before);
      if (after === before) return 'unchanged';
      const outcome = await this.#api.writeStatus(device, after, this.#abort.signal);
      if (outcome !== 'conflict') return outcome;
    }
    throw CONTENDED;
  }

  #failed(entry: Entry, taken: readonly Waiting[], error: unknown): void {
    if (this.#stopped) {
      settleAll(taken, 'abandoned');
      return;
    }
    if (kubeErrors.KUBE_REFUSED.is(error)) {
      this.#backoff.succeeded();
      this.#refused(entry, taken, messageOf(error));
      return;
    }
    if (!(error instanceof SkerryError))
      this.#logger.error({ device: entry.key, reason: messageOf(error) }, 'status write failed in an unknown way');
    this.#reason = messageOf(error);
    if (error !== CONTENDED) this.#backoff.failed();
    entry.waiting = [...taken, ...entry.waiting];
    entry.notBefore = performance.now() + backoffDelay(RETRY, entry.failures);
    entry.failures += 1;
  }

  /** One change that the API server does not take must not cost those that came with it: each is tried alone. */
  #refused(entry: Entry, taken: readonly Waiting[], reason: string): void {
    entry.failures = 0;
    if (taken.length > 1) {
      entry.waiting = [...taken, ...entry.waiting];
      entry.singly = taken.length;
      return;
    }
    this.#logger.error({ device: entry.key, reason }, 'status refused');
    settle(entry, taken, { refused: reason });
  }
}

/** A part of what waited has its outcome. */
function settle(entry: Entry, taken: readonly Waiting[], outcome: StatusOutcome): void {
  entry.singly = Math.max(0, entry.singly - taken.length);
  settleAll(taken, outcome);
}

function settleAll(waiting: readonly Waiting[], outcome: StatusOutcome): void {
  for (const { settle: tell } of waiting) tell(outcome);
}
