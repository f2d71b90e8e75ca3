// STOP 6: outbox → JetStream. At most one unacknowledged publish per chain, many chains at once; whatever is unclear is asked
// of the stream itself. Nothing is decided here about what an answer means (`chain.ts`, `claim.ts`).
import { backoffDelay } from '../../kit/backoff.ts';
import type { Clock } from '../../kit/clock.ts';
import type { Deadline } from '../../kit/deadline.ts';
import { messageOf } from '../../kit/errors.ts';
import type { Logger } from '../../kit/logger.ts';
import { HEALTHY, type Health, type Service } from '../../kit/service.ts';
import { sleep } from '../../kit/sleep.ts';
import { TaskGroup } from '../../kit/task-group.ts';
import { ms, seconds } from '../../kit/units.ts';
import { readLast } from '../../nats/direct-get.ts';
import type { NatsLink } from '../../nats/nats-link.ts';
import { encodeBatch, encodeFact } from '../../wire/device-events.ts';
import { formatMessageId } from '../../wire/message-id.ts';
import { inboxPrefix, UP_STREAM } from '../../wire/nats-subjects.ts';
import type { OutboxEntry } from '../outbox/chain-backlog.ts';
import type { Outbox } from '../outbox/outbox.ts';
import type { StoreIdentity } from '../store/store-identity.ts';
import { isForeign, resume } from './chain.ts';
import { ChainSender, type SendResult } from './chain-sender.ts';
import { claimNode } from './claim.ts';
import { uplinkErrors } from './errors.ts';

export interface UplinkConfig {
  readonly node: string;
}

export interface UplinkTools {
  readonly link: NatsLink;
  readonly outbox: Outbox;
  readonly identity: () => StoreIdentity;
  /** Keeps the term of a claim, before anything is published under it. */
  readonly keepTerm: (term: number) => Promise<void>;
  /** Called after each claim, when publishing begins. */
  readonly onClaimed: () => void;
  /** Called when the claim turns out to be somebody else's while the link holds: publishing ends. */
  readonly onDiverged: () => void;
  readonly clock: Clock;
  readonly logger: Logger;
}

const MOST_FACTS_PER_MESSAGE = 100;
const MOST_BYTES_PER_MESSAGE = 256 * 1024;
const MOST_CHAINS_AT_ONCE = 512;
const ANSWER_TIMEOUT = seconds(5);
const CLAIM_RETRY = { first: ms(200), most: seconds(5) };
const CHAIN_RETRY = { first: ms(100), most: seconds(5) };

/** One connection's worth of publishing. Chains that a lost link leaves behind are asked about again in the next one. */
interface Session {
  /** Of the claim that this session publishes under. */
  readonly revision: number;
  readonly term: number;
  readonly since: number;
  /** Chains whose place in the stream this session has seen. */
  readonly known: Set<string>;
  readonly waiting: Set<string>;
  readonly busy: Set<string>;
  /** Busy chains that got more work meanwhile. */
  readonly again: Set<string>;
}

export class Uplink implements Service {
  readonly name = 'uplink';
  readonly #node: string;
  readonly #tools: UplinkTools;
  readonly #sender: ChainSender;
  readonly #tasks = new TaskGroup();
  #session: Session | undefined;
  #problem: string | undefined = 'not connected yet';
  #wakeClaimer: () => void = () => undefined;

  constructor(config: UplinkConfig, tools: UplinkTools) {
    this.#node = config.node;
    this.#tools = tools;
    this.#sender = new ChainSender({ inbox: `${inboxPrefix(config.node)}.up`, timeout: ANSWER_TIMEOUT }, tools);
  }

  get ended(): Promise<unknown> {
    return this.#tasks.ended;
  }

  start(_signal: AbortSignal): Promise<void> {
    const { link, outbox } = this.#tools;
    this.#sender.listen();
    outbox.onWork((chain) => {
      this.#offer(chain);
    });
    link.onConnected(() => this.#wakeClaimer());
    this.#tasks.signal.addEventListener('abort', () => this.#wakeClaimer(), { once: true });
    link.onDisconnected(() => {
      this.#session = undefined;
      this.#problem = 'the link is down';
      this.#sender.giveUp();
    });
    this.#tasks.run('claim', (signal) => this.#claimWheneverConnected(signal));
    this.#tasks.run('expire', (signal) => this.#expireRegularly(signal));
    return Promise.resolve();
  }

  /** Uses what is left of the time to empty the outbox. */
  async stop(deadline: Deadline): Promise<void> {
    while (deadline.remaining() > 1000 && this.#session !== undefined && this.#tools.outbox.depth() > 0) {
      await sleep(ms(20), this.#tasks.signal);
    }
    this.#session = undefined;
    await this.#tasks.close(deadline);
  }

  health(): Health {
    return this.#problem === undefined ? HEALTHY : { state: 'degraded', reason: this.#problem };
  }

  async #claimWheneverConnected(signal: AbortSignal): Promise<void> {
    for (let attempt = 0; !signal.aborted; attempt += 1) {
      if (this.#session === undefined && this.#tools.link.connected && (await this.#claim())) attempt = 0;
      const idle = this.#session !== undefined || !this.#tools.link.connected;
      await (idle ? this.#untilConnected(signal) : sleep(backoffDelay(CLAIM_RETRY, attempt), signal));
    }
  }

  #untilConnected(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      this.#wakeClaimer = resolve;
      if (signal.aborted) resolve();
    });
  }

  async #claim(): Promise<boolean> {
    const { link, identity, keepTerm, clock, logger, outbox, onClaimed } = this.#tools;
    try {
      const result = await claimNode(link, this.#node, identity());
      if (result.kind === 'diverged')
        throw uplinkErrors.STORE_DIVERGED({ node: this.#node, holder: result.holder.storeId });
      const { term } = result;
      if (term !== identity().term || identity().mayTakeOver === true) await keepTerm(term);
      if (!link.connected) return false;
      const chains = new Set(outbox.chains());
      this.#session = {
        revision: result.revision,
        term,
        since: clock.now(),
        known: new Set(),
        waiting: chains,
        busy: new Set(),
        again: new Set(),
      };
      this.#problem = undefined;
      logger.info({ node: this.#node, term, backlog: outbox.depth() }, 'uplink open');
      onClaimed();
      this.#pump(this.#session);
      return true;
    } catch (error) {
      const reason = messageOf(error);
      if (this.#problem !== reason) logger.warn({ node: this.#node, reason }, 'uplink closed');
      this.#problem = reason;
      return false;
    }
  }

  #offer(chain: string): void {
    const session = this.#session;
    if (session === undefined) return;
    if (session.busy.has(chain)) {
      session.again.add(chain);
      return;
    }
    session.waiting.add(chain);
    this.#pump(session);
  }

  #pump(session: Session): void {
    for (const chain of session.waiting) {
      if (session.busy.size >= MOST_CHAINS_AT_ONCE) return;
      session.waiting.delete(chain);
      session.busy.add(chain);
      void this.#drain(session, chain);
    }
  }

  /** Works on one chain until it is empty or the session ends. */
  async #drain(session: Session, chain: string): Promise<void> {
    try {
      await this.#sendAll(session, chain);
    } catch (error) {
      this.#tools.logger.warn({ subject: chain, reason: messageOf(error) }, 'chain put off');
      await sleep(CHAIN_RETRY.most, this.#tasks.signal);
      session.again.add(chain);
    }
    session.busy.delete(chain);
    if (session.again.delete(chain)) session.waiting.add(chain);
    if (this.#session === session) this.#pump(session);
  }

  async #sendAll(session: Session, chain: string): Promise<void> {
    for (let setbacks = 0; this.#session === session;) {
      const isPlaced = session.known.has(chain) || (await this.#place(session, chain));
      const outcome = isPlaced ? await this.#sendOldest(session, chain) : 'setback';
      if (outcome === 'empty') return;
      setbacks = outcome === 'sent' ? 0 : setbacks + 1;
      if (setbacks > 0) session.known.delete(chain);
      // The first setback is answered at once: most often the stream has what we thought lost.
      if (setbacks > 1) await sleep(backoffDelay(CHAIN_RETRY, setbacks - 2), this.#tasks.signal);
    }
  }

  /** Asks the stream where the chain stands. False when it cannot be told now. */
  async #place(session: Session, chain: string): Promise<boolean> {
    const { link, outbox, identity, logger } = this.#tools;
    const { incarnation, past } = identity();
    try {
      const last = await readLast(link, UP_STREAM, chain);
      const isOurs = (name: string): boolean => name === incarnation || past.includes(name);
      if (isForeign(last, isOurs) && !(await this.#stillHolds(session))) return false;
      if (this.#session !== session) return false;
      const resumption = resume(last, outbox.position(chain), isOurs);
      if (resumption.kind === 'move') await outbox.moveTo(chain, resumption.position);
      session.known.add(chain);
      return true;
    } catch (error) {
      logger.debug({ subject: chain, reason: messageOf(error) }, 'cannot ask for the end of the chain');
      return false;
    }
  }

  /** Somebody else's word stands on a chain of this node: most often an earlier store's, but it may be the new holder's. */
  async #stillHolds(session: Session): Promise<boolean> {
    const { link, identity, onDiverged } = this.#tools;
    const result = await claimNode(link, this.#node, identity());
    if (result.kind === 'claimed' && result.revision === session.revision) return true;
    if (this.#session !== session) return false;
    // The claimer asks once more, and says why it gets no answer that it could publish under.
    this.#session = undefined;
    onDiverged();
    this.#wakeClaimer();
    return false;
  }

  async #sendOldest(session: Session, chain: string): Promise<'sent' | 'empty' | 'setback'> {
    const { outbox } = this.#tools;
    const entries = await outbox.oldest(chain, MOST_FACTS_PER_MESSAGE);
    if (this.#session !== session) return 'setback';
    const { batch, newest } = this.#encode(session, entries);
    if (newest === undefined) return 'empty';
    const result = await this.#sender.send({
      subject: chain,
      payload: batch,
      stream: UP_STREAM,
      messageId: formatMessageId(newest),
      expected: outbox.position(chain).streamSequence,
    });
    if (result.kind === 'stored') {
      outbox.acknowledge(chain, { acknowledged: newest.sequence, streamSequence: result.sequence });
      return 'sent';
    }
    this.#noteSetback(chain, result);
    return 'setback';
  }

  #encode(
    session: Session,
    entries: readonly OutboxEntry[],
  ): { readonly batch: Uint8Array; readonly newest: OutboxEntry | undefined } {
    const encoded: string[] = [];
    let length = 0;
    let newest: OutboxEntry | undefined;
    for (const entry of entries) {
      const id = formatMessageId(entry);
      const historical = entry.fact.at < session.since;
      const text = encodeFact(entry.fact, { node: this.#node, id, term: session.term, historical });
      length += text.length;
      if (newest !== undefined && length > MOST_BYTES_PER_MESSAGE) break;
      encoded.push(text);
      newest = entry;
    }
    return { batch: encodeBatch(encoded), newest };
  }

  #noteSetback(chain: string, result: SendResult): void {
    if (result.kind === 'refused') {
      this.#tools.logger.error(
        { subject: chain, code: result.code, reason: result.description },
        'the stream refuses this chain',
      );
    } else {
      this.#tools.logger.debug({ subject: chain, answer: result.kind }, 'publish not confirmed; asking the stream');
    }
  }

  async #expireRegularly(signal: AbortSignal): Promise<void> {
    while ((await sleep(ms(500), signal)) === 'elapsed') this.#sender.expire();
  }
}
