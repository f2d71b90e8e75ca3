// STOP 6: outbox → JetStream. Claims the node whenever the link holds, publishes while the claim does (`uplink-session.ts`), and
// says why when it may not. Nothing is decided here about what a claim means (`claim.ts`).
import { randomBytes } from 'node:crypto';
import { backoffDelay } from '../../kit/backoff.ts';
import type { Deadline } from '../../kit/deadline.ts';
import { messageOf, SkerryError } from '../../kit/errors.ts';
import type { Logger } from '../../kit/logger.ts';
import { HEALTHY, type Health, type Service } from '../../kit/service.ts';
import { sleep } from '../../kit/sleep.ts';
import type { StampClock } from '../../kit/stamp-clock.ts';
import { TaskGroup } from '../../kit/task-group.ts';
import { ms, seconds, type Duration } from '../../kit/units.ts';
import type { NatsLink } from '../../nats/nats-link.ts';
import { claimHints, inboxPrefix } from '../../wire/nats-subjects.ts';
import type { NodeProblem } from '../../wire/node-reports.ts';
import type { Outbox } from '../outbox/outbox.ts';
import type { StoreIdentity } from '../store/store-identity.ts';
import { ChainSender, type SendResult } from './chain-sender.ts';
import { claimNode, lineageOf, type ClaimResult } from './claim.ts';
import { uplinkErrors } from './errors.ts';
import { withTerm } from './terms.ts';
import { UplinkSession } from './uplink-session.ts';

export interface UplinkConfig {
  readonly node: string;
}

export interface UplinkTools {
  readonly link: NatsLink;
  readonly outbox: Outbox;
  readonly identity: () => StoreIdentity;
  /** Keeps what a claim has taught, before anything is published under it. */
  readonly keep: (learned: Pick<StoreIdentity, 'others'> & Partial<StoreIdentity>) => Promise<void>;
  /** Called after each claim, when publishing begins. */
  readonly onClaimed: () => void;
  /** Called when the claim turns out to be somebody else's while the link holds: publishing ends. */
  readonly onDiverged: () => void;
  readonly clock: StampClock;
  readonly logger: Logger;
}

const ANSWER_TIMEOUT = seconds(5);
const CLAIM_RETRY = { first: ms(200), most: seconds(5) };
/** What a person must see to is not asked about every moment. */
const PROBLEM_RETRY = seconds(30);
/** What the network takes to set a clock, generously; without a server of time it may never be. */
const WAITS_FOR_TIME = seconds(120);

export interface UplinkStatistics {
  readonly isOpen: boolean;
  readonly messages: Readonly<Record<SendResult['kind'], number>>;
}

interface Closed {
  readonly reason: string;
  /** Where a person must act. */
  readonly problem?: NodeProblem;
}

export class Uplink implements Service {
  readonly name = 'uplink';
  readonly #node: string;
  readonly #tools: UplinkTools;
  readonly #sender: ChainSender;
  readonly #tasks = new TaskGroup();
  #session: UplinkSession | undefined;
  /** Why nothing is published. */
  #closed: Closed = { reason: 'not connected yet' };
  /** Connections lost so far: a claim says nothing about the next one. */
  #losses = 0;
  /** Since when, monotonic, a connection has waited for the time. */
  #waitsSince: number | undefined;
  #isChecking = false;
  #checkAgain = false;
  #wakeClaimer: () => void = () => undefined;

  constructor(config: UplinkConfig, tools: UplinkTools) {
    this.#node = config.node;
    this.#tools = tools;
    // Not to be guessed: a node that could name it would have the server confirm what was never stored (ADR 0034).
    const inbox = `${inboxPrefix(config.node)}.up.${randomBytes(16).toString('hex')}`;
    this.#sender = new ChainSender({ inbox, timeout: ANSWER_TIMEOUT }, tools);
  }

  get ended(): Promise<unknown> {
    return this.#tasks.ended;
  }

  start(_signal: AbortSignal): Promise<void> {
    const { link, outbox } = this.#tools;
    this.#sender.listen();
    outbox.onWork((chain) => this.#session?.offer(chain));
    link.subscribe(claimHints(this.#node), () => void this.#checkClaim());
    link.onConnected(() => this.#wakeClaimer());
    this.#tasks.signal.addEventListener('abort', () => this.#wakeClaimer(), { once: true });
    link.onDisconnected(() => {
      this.#losses += 1;
      this.#waitsSince = undefined;
      this.#endSession();
      this.#closed = { reason: 'the link is down' };
      this.#sender.giveUp();
    });
    this.#tasks.run('claim', (signal) => this.#claimWheneverConnected(signal));
    this.#tasks.run('expire', (signal) => this.#expireRegularly(signal));
    this.#tasks.run('retry forbidden', (signal) => this.#retryForbidden(signal));
    return Promise.resolve();
  }

  /** Uses what is left of the time to empty the outbox. */
  async stop(deadline: Deadline): Promise<void> {
    while (deadline.remaining() > 1000 && this.#session?.isWorking === true) {
      await sleep(ms(20), this.#tasks.signal);
    }
    this.#endSession();
    await this.#tasks.close(deadline);
  }

  health(): Health {
    const reason = this.#session === undefined ? this.#closed.reason : this.#session.problem?.message;
    return reason === undefined ? HEALTHY : { state: 'degraded', reason };
  }

  /** Whether facts are published, and what became of the messages. */
  get statistics(): UplinkStatistics {
    return { isOpen: this.#session !== undefined, messages: this.#sender.results.counts };
  }

  /** What a person must see to, here or at the hub. */
  get problem(): NodeProblem | undefined {
    return this.#session === undefined ? this.#closed.problem : problemOf(this.#session.problem);
  }

  #endSession(): void {
    this.#session?.end();
    this.#session = undefined;
  }

  async #claimWheneverConnected(signal: AbortSignal): Promise<void> {
    for (let attempt = 0; !signal.aborted; attempt += 1) {
      // A connection, or a word about the claim, ends the wait, also when it comes while the claim is read.
      const woken = new Promise<void>((resolve) => (this.#wakeClaimer = resolve));
      if (this.#session === undefined && this.#tools.link.connected && (await this.#claim())) attempt = 0;
      const isIdle = this.#session !== undefined || !this.#tools.link.connected;
      await (isIdle ? woken : Promise.race([woken, sleep(this.#pause(attempt), signal)]));
    }
  }

  #pause(attempt: number): Duration {
    return this.#closed.problem === undefined ? backoffDelay(CLAIM_RETRY, attempt) : PROBLEM_RETRY;
  }

  async #claim(): Promise<boolean> {
    const { link, identity } = this.#tools;
    const losses = this.#losses;
    try {
      this.#checkTime();
      const result = await claimNode(link, this.#node, identity());
      await this.#learn(result);
      if (result.kind === 'wait') throw uplinkErrors.CLAIM_NOT_PREPARED({ node: this.#node });
      if (result.kind === 'diverged') {
        const { storeId, incarnation } = result.holder;
        throw uplinkErrors.STORE_DIVERGED({ node: this.#node, holder: storeId, incarnation });
      }
      if (!link.connected || this.#losses !== losses) return false;
      this.#open(result);
      return true;
    } catch (error) {
      const reason = messageOf(error);
      const problem = problemOf(error);
      if (this.#closed.reason !== reason) this.#logClosed(reason, problem);
      this.#closed = { reason, ...(problem === undefined ? {} : { problem }) };
      return false;
    }
  }

  #checkTime(): void {
    const { clock } = this.#tools;
    if (clock.isTimeKnown) return;
    this.#waitsSince ??= clock.monotonic();
    if (clock.monotonic() - this.#waitsSince >= WAITS_FOR_TIME) return;
    throw uplinkErrors.UPLINK_WAITS_FOR_TIME({ now: new Date(clock.wall()).toISOString() });
  }

  /** Of copies of this store, before what they wrote is judged; and the term, before anything is published under it. */
  async #learn(result: ClaimResult): Promise<void> {
    const { identity, keep, outbox } = this.#tools;
    if (result.kind === 'wait') return;
    const { others, term, terms, mayTakeOver } = identity();
    if (result.kind === 'diverged') {
      if (result.others !== others) await keep({ others: result.others });
    } else if (result.others !== others || result.term !== term || mayTakeOver) {
      // A bucket that lost its end may hold an older claim of this very start.
      const newest = Math.max(result.term, term);
      const held = withTerm(terms, newest, outbox.newest);
      await keep({ others: result.others, term: newest, terms: held, mayTakeOver: false });
    }
  }

  #open(claim: { readonly revision: number; readonly term: number }): void {
    const { link, outbox, identity, clock, logger, onClaimed } = this.#tools;
    const session: UplinkSession = new UplinkSession(claim, {
      ...{ node: this.#node, link, outbox, logger, sender: this.#sender, signal: this.#tasks.signal },
      lineage: lineageOf(identity()),
      terms: identity().terms,
      stillHolds: () => this.#stillHolds(session),
      timeOf: clock.timeOf,
    });
    this.#session = session;
    this.#closed = { reason: 'the claim is made again' };
    logger.info({ node: this.#node, term: claim.term, backlog: outbox.depth() }, 'uplink open');
    onClaimed();
    session.open();
  }

  #logClosed(reason: string, problem: NodeProblem | undefined): void {
    const { logger } = this.#tools;
    if (problem === undefined) logger.warn({ node: this.#node, reason }, 'uplink closed');
    else logger.error({ node: this.#node, code: problem.code, reason }, 'uplink closed');
  }

  /** Somebody wrote, or tried to write, the claim of this node: a hint, and no more. One look at a time. */
  async #checkClaim(): Promise<void> {
    this.#checkAgain = true;
    if (this.#isChecking) return;
    this.#isChecking = true;
    while (this.#checkAgain) {
      this.#checkAgain = false;
      const session = this.#session;
      if (session === undefined) this.#wakeClaimer();
      else await this.#stillHolds(session).catch(ignoreUnanswered);
    }
    this.#isChecking = false;
  }

  async #stillHolds(session: UplinkSession): Promise<boolean> {
    const { link, identity, onDiverged } = this.#tools;
    const result = await claimNode(link, this.#node, identity());
    if (result.kind === 'claimed' && result.revision === session.revision) return true;
    if (this.#session !== session) return false;
    // The claimer asks once more, and says why it gets no answer that it could publish under.
    this.#endSession();
    onDiverged();
    this.#wakeClaimer();
    return false;
  }

  async #expireRegularly(signal: AbortSignal): Promise<void> {
    while ((await sleep(ms(500), signal)) === 'elapsed') this.#sender.expire();
  }

  async #retryForbidden(signal: AbortSignal): Promise<void> {
    while ((await sleep(PROBLEM_RETRY, signal)) === 'elapsed') this.#session?.retryForbidden();
  }
}

function problemOf(error: unknown): NodeProblem | undefined {
  if (!(error instanceof SkerryError) || error.kind !== 'refused') return undefined;
  return { code: error.code, message: error.message };
}

/** Whoever publishes next where another has published asks again. */
function ignoreUnanswered(): void {
  return undefined;
}
