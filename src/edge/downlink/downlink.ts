// STOP 4': what the hub wants of this node. A message on the hint subject only says that something may have changed; the value
// and its revision are read from the stream, and the index says which objects count (ADR 0007).
import { fingerprintOf } from '../../kit/fingerprint.ts';
import { backoffDelay } from '../../kit/backoff.ts';
import type { Deadline } from '../../kit/deadline.ts';
import { messageOf, SkerryError } from '../../kit/errors.ts';
import type { Logger } from '../../kit/logger.ts';
import { HEALTHY, type Health, type Service } from '../../kit/service.ts';
import { sleep } from '../../kit/sleep.ts';
import { TaskGroup } from '../../kit/task-group.ts';
import { ms, seconds } from '../../kit/units.ts';
import { readLast } from '../../nats/direct-get.ts';
import type { NatsLink } from '../../nats/nats-link.ts';
import type { ServerMade } from '../../nats/server-made.ts';
import { decodeDefinition, decodeIndex, type DesiredIndex } from '../../wire/desired.ts';
import {
  bucketSubject,
  DESIRED_BUCKET,
  DESIRED_STREAM,
  desiredHints,
  indexKey,
  keyOfBucketSubject,
} from '../../wire/nats-subjects.ts';
import { DesiredKeeper, type DesiredKeeperTools } from './desired-keeper.ts';
import { downlinkErrors } from './errors.ts';
import { diffIndex, isBehind, isLost, isMeant, type Found } from './index-diff.ts';

export interface DownlinkTools extends DesiredKeeperTools {
  readonly link: Pick<NatsLink, 'connected' | 'request' | 'subscribe' | 'onConnected'>;
  /** Called when a newer index has been applied in full. */
  readonly onReached: () => void;
  /** Called when `indexAbove` has another value: the hub must hear of it. */
  readonly onDoubt: () => void;
  readonly logger: Logger;
}

const RETRY = { first: ms(100), most: seconds(5) };
/** Objects in work at once: a node that was away for a week has many to read. */
const AT_ONCE = 32;

/** Before the first index is reached. What is held by then came by hints, and of the bucket that is read. */
const NO_BUCKET = '';

interface ReadIndex extends DesiredIndex {
  /** Its own place in the stream. */
  readonly revision: number;
  /** It is of another bucket than what is held here, or a hub wrote it after it had heard of a doubt. */
  readonly isTrusted: boolean;
}

export class Downlink implements Service {
  readonly name = 'downlink';
  readonly #node: string;
  readonly #tools: DownlinkTools;
  readonly #keeper: DesiredKeeper;
  readonly #tasks = new TaskGroup();
  readonly #hinted = new Set<string>();
  #wake: () => void = () => undefined;
  #doubtedThrough: number | undefined;
  /** Entries that no hub wrote. The index may agree with what is held here, so that nothing else would have them read again. */
  readonly #forgedKeys = new Set<string>();
  #problem: string | undefined = 'the desired state was not compared yet';

  constructor(config: { readonly node: string }, tools: DownlinkTools) {
    this.#node = config.node;
    this.#tools = tools;
    this.#keeper = new DesiredKeeper(tools);
  }

  get ended(): Promise<unknown> {
    return this.#tasks.ended;
  }

  /**
   * The server has lost words that are held here, and only a hub can tell which of them still count: what is held stays until there
   * is an index of a generation above this one. However long that takes: a hub may be away for longer than any patience.
   */
  get indexAbove(): number | undefined {
    return this.#doubtedThrough;
  }

  start(_signal: AbortSignal): Promise<void> {
    const { link } = this.#tools;
    const ownIndex = indexKey(this.#node);
    link.subscribe(desiredHints(this.#node), (message) => {
      this.#hint(keyOfBucketSubject(DESIRED_BUCKET, message.subject) ?? ownIndex);
    });
    link.onConnected(() => {
      // The server may have lost its end meanwhile: what was hinted at, or written for a doubt, is judged by the index anew.
      this.#hinted.clear();
      this.#doubtedThrough = undefined;
      this.#hint(ownIndex);
    });
    this.#tasks.signal.addEventListener('abort', () => this.#wake(), { once: true });
    this.#tasks.run('follow', (signal) => this.#follow(signal));
    return Promise.resolve();
  }

  async stop(deadline: Deadline): Promise<void> {
    await this.#tasks.close(deadline);
  }

  health(): Health {
    return this.#problem === undefined ? HEALTHY : { state: 'degraded', reason: this.#problem };
  }

  #hint(key: string): void {
    this.#hinted.add(key);
    this.#wake();
  }

  async #follow(signal: AbortSignal): Promise<void> {
    for (let attempt = 0; !signal.aborted;) {
      if (this.#hinted.size === 0 || !this.#tools.link.connected) await this.#untilHinted(signal);
      else attempt = (await this.#takeHints()) ? 0 : attempt + 1;
      if (attempt > 0) await sleep(backoffDelay(RETRY, attempt - 1), signal);
    }
  }

  #untilHinted(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
      if (signal.aborted) resolve();
    });
  }

  /** False when not all could be read: the index is asked again then. */
  async #takeHints(): Promise<boolean> {
    const hinted = [...this.#hinted];
    this.#hinted.clear();
    const ownIndex = indexKey(this.#node);
    try {
      const objects = hinted.filter((key) => key !== ownIndex);
      const found = await inGroups(objects, (key) => this.#readObject(key));
      // Whether what is gone from the bucket goes from here too is for the index to say, which may have been silent about it.
      const isIndexNeeded = hinted.includes(ownIndex) || found.includes(undefined);
      if (isIndexNeeded) await this.#compareWithIndex();
      this.#problem = undefined;
      return true;
    } catch (error) {
      this.#note(error);
      this.#hinted.add(ownIndex);
      return false;
    }
  }

  /** A neighbour that is away is nothing to shout about. */
  #note(error: unknown): void {
    const reason = messageOf(error);
    const { logger } = this.#tools;
    const isAway = error instanceof SkerryError && error.kind === 'unavailable';
    if (!isAway && this.#problem !== reason) logger.error({ edge: this.#node, reason }, 'desired state not read');
    else logger.debug({ reason }, 'desired state not read');
    this.#problem = reason;
  }

  async #compareWithIndex(): Promise<void> {
    const { link, objects, logger } = this.#tools;
    const last = await readLast(link, DESIRED_STREAM, bucketSubject(DESIRED_BUCKET, indexKey(this.#node)));
    // A bucket without an index says nothing about what this node should hold.
    if (last === undefined || last.operation !== undefined) return;
    if (last.made !== undefined) throw this.#forged(indexKey(this.#node), last.made);
    const { sequence: revision } = last;
    const decoded = decodeIndex(last.data);
    if (decoded === undefined) throw downlinkErrors.INDEX_NOT_UNDERSTOOD({ node: this.#node, revision });
    const index = { ...decoded, revision, isTrusted: this.#isTrusted(decoded) };
    if (isBehind(index, objects.position)) throw this.#doubt(index);
    const diff = diffIndex(index, objects.fingerprints());
    await this.#readForgedAgain(index);
    const found = await inGroups(diff.read, (key) => this.#readObject(key, index));
    const missing = diff.read.filter((key, place) => !isMeant(index.keys[key], found[place], revision));
    const unnamed = await inGroups(diff.unnamed, (key) => this.#removeUnnamed(key, index));
    if (missing[0] !== undefined)
      throw downlinkErrors.DESIRED_OBJECTS_MISSING({ count: missing.length, key: missing[0] });
    this.#doubtedThrough = undefined;
    if (isReached(index, objects.position)) return;
    await this.#reached(index);
    const removed = unnamed.filter((fate) => fate === 'removed').length;
    logger.info({ generation: index.generation, read: diff.read.length, removed }, 'desired state reached');
  }

  async #readForgedAgain(index: ReadIndex): Promise<void> {
    for (const key of this.#forgedKeys) {
      this.#forgedKeys.delete(key);
      if (key in index.keys) await this.#readObject(key, index);
    }
  }

  #isTrusted({ bucket, generation }: DesiredIndex): boolean {
    const { position } = this.#tools.objects;
    const isForeign = position.bucket !== NO_BUCKET && bucket !== position.bucket;
    return isForeign || (this.#doubtedThrough !== undefined && generation > this.#doubtedThrough);
  }

  #doubt({ generation }: Pick<DesiredIndex, 'generation'>): SkerryError {
    const through = Math.max(generation, this.#tools.objects.position.generation);
    const isNews = this.#doubtedThrough !== through;
    this.#doubtedThrough = through;
    if (isNews) this.#tools.onDoubt();
    return downlinkErrors.INDEX_BEHIND({ generation });
  }

  /** The hub, which did not write it, hears of it as of words that were lost. */
  #forged(key: string, { from }: ServerMade, index?: ReadIndex): SkerryError {
    this.#forgedKeys.add(key);
    this.#doubt(index ?? this.#tools.objects.position);
    return downlinkErrors.DESIRED_FORGED({ key, from });
  }

  async #reached({ bucket, generation }: DesiredIndex): Promise<void> {
    const { store, objects, onReached } = this.#tools;
    await store.commit((tx) => {
      objects.reached(tx, { bucket, generation });
    });
    onReached();
  }

  /** What the bucket holds under the key, worked in where it is news; `undefined` where it holds nothing. */
  async #readObject(key: string, index?: ReadIndex): Promise<Found | undefined> {
    const { link, objects, logger } = this.#tools;
    const last = await readLast(link, DESIRED_STREAM, bucketSubject(DESIRED_BUCKET, key));
    if (last === undefined || last.operation !== undefined) return undefined;
    if (last.made !== undefined) throw this.#forged(key, last.made, index);
    this.#forgedKeys.delete(key);
    const found = { revision: last.sequence, fingerprint: fingerprintOf(last.data) };
    if (objects.held(key)?.fingerprint === found.fingerprint) return found;
    if (index !== undefined) this.#mustBeThere(key, found.revision, index);
    const definition = decodeDefinition(last.data);
    if (definition === undefined)
      logger.error({ key, revision: found.revision }, 'desired object not understood; skipped');
    await this.#keeper.put({ key, ...found, ...(definition === undefined ? {} : { definition }) });
    return found;
  }

  /** An object that was written after the index is named by the next one, also where the server has lost it meanwhile. */
  async #removeUnnamed(key: string, index: ReadIndex): Promise<'removed' | 'newer'> {
    const { link } = this.#tools;
    const last = await readLast(link, DESIRED_STREAM, bucketSubject(DESIRED_BUCKET, key));
    if (last !== undefined && last.operation === undefined && last.sequence > index.revision) return 'newer';
    this.#mustBeThere(key, last?.sequence ?? 0, index);
    await this.#keeper.remove(key);
    return 'removed';
  }

  /** Where the bucket has lost what was read of it, neither its older value nor its silence is anybody's wish. */
  #mustBeThere(key: string, newest: number, index: ReadIndex): void {
    const held = this.#tools.objects.held(key)?.revision ?? 0;
    if (!index.isTrusted && isLost(held, { newest, index: index.revision })) throw this.#doubt(index);
  }
}

async function inGroups<T>(keys: readonly string[], work: (key: string) => Promise<T>): Promise<T[]> {
  const results: T[] = [];
  for (let first = 0; first < keys.length; first += AT_ONCE)
    results.push(...(await Promise.all(keys.slice(first, first + AT_ONCE).map(work))));
  return results;
}

function isReached(index: DesiredIndex, position: { readonly bucket: string; readonly generation: number }): boolean {
  return index.bucket === position.bucket && index.generation === position.generation;
}
