// Publishing under one claim, over one connection: at most one unacknowledged publish per chain, many chains at once; whatever is
// unclear is asked of the stream itself. What an answer means is decided in `chain.ts`.
import { backoffDelay } from '../../kit/backoff.ts';
import { messageOf, type SkerryError } from '../../kit/errors.ts';
import type { Logger } from '../../kit/logger.ts';
import { sleep } from '../../kit/sleep.ts';
import type { TimeOf } from '../../kit/stamp-clock.ts';
import { ms, seconds } from '../../kit/units.ts';
import type { Lineage } from '../../model/lineage.ts';
import { MESSAGE_TOO_LARGE, readLast } from '../../nats/direct-get.ts';
import { natsErrors } from '../../nats/errors.ts';
import type { NatsLink } from '../../nats/nats-link.ts';
import { encodeFact } from '../../wire/device-events.ts';
import {
  BEFORE_HEADER,
  formatMessageId,
  formatMessageIds,
  parseMessageId,
  parseMessageIds,
} from '../../wire/message-id.ts';
import { UP_STREAM } from '../../wire/nats-subjects.ts';
import type { OutboxEntry } from '../outbox/chain-backlog.ts';
import type { Outbox } from '../outbox/outbox.ts';
import type { TermSince } from '../store/store-identity.ts';
import { isForeign, resume, type LastMessage } from './chain.ts';
import type { ChainSender, SendResult } from './chain-sender.ts';
import { withTimes } from './fact-times.ts';
import { pack, type Packed } from './packing.ts';
import { termOf } from './terms.ts';
import { Turns } from './turns.ts';

export interface SessionTools {
  readonly node: string;
  readonly link: NatsLink;
  readonly outbox: Outbox;
  readonly sender: ChainSender;
  readonly lineage: Lineage;
  readonly terms: readonly TermSince[];
  /** Whether the claim is still this session's; asked where somebody else's words are found. */
  readonly stillHolds: () => Promise<boolean>;
  readonly timeOf: TimeOf;
  readonly signal: AbortSignal;
  readonly logger: Logger;
}

/** `again`: nothing was sent, and something else will be. */
type Outcome = 'sent' | 'again' | 'empty' | 'setback' | 'forbidden';
type Message = Extract<Packed, { readonly kind: 'message' }>;

const MOST_FACTS_PER_MESSAGE = 100;
/** More than all headers of a message take. */
const HEADER_BYTES = 1024;
const MOST_CHAINS_AT_ONCE = 512;
const CHAIN_RETRY = { first: ms(100), most: seconds(5) };

export class UplinkSession {
  /** Of the claim. */
  readonly revision: number;
  readonly #tools: SessionTools;
  /** What was enlisted before the session began is history; by count, because clocks are set. */
  readonly #historicalThrough: number;
  /** Chains whose place in the stream this session has seen → who else its messages must name. */
  readonly #before = new Map<string, string>();
  /** Chains of which the server said that it knew a message already → the newest fact of it. */
  readonly #confirmed = new Map<string, number>();
  readonly #waiting = new Set<string>();
  readonly #busy = new Set<string>();
  /** Busy chains that got more work meanwhile. */
  readonly #again = new Set<string>();
  /** Chains that the server does not let this node use, put aside until they are tried again. */
  readonly #aside = new Set<string>();
  readonly #forbidden = new Map<string, SkerryError>();
  readonly #turns = new Turns();
  /** Bytes that are worth trying with several facts in one message: halved whenever the stream refuses one for its size. */
  #ofSeveral = Number.POSITIVE_INFINITY;
  #isOver = false;

  constructor(claim: { readonly revision: number }, tools: SessionTools) {
    this.revision = claim.revision;
    this.#tools = tools;
    this.#historicalThrough = tools.outbox.newest;
  }

  get isWorking(): boolean {
    return this.#busy.size + this.#waiting.size > 0;
  }

  /** What a person must see to, while everything else goes on. */
  get problem(): SkerryError | undefined {
    const [problem] = this.#forbidden.values();
    return problem;
  }

  /** Works on every chain that holds anything: what was acknowledged may have been lost. */
  open(): void {
    this.#tools.outbox.beginSession((chain) => this.#before.has(chain));
    for (const chain of this.#tools.outbox.chains()) this.#waiting.add(chain);
    this.#pump();
  }

  /** Nothing more is published; what is under way ends by itself. */
  end(): void {
    this.#isOver = true;
    this.#tools.outbox.endSession();
  }

  offer(chain: string): void {
    if (this.#isOver || this.#aside.has(chain)) return;
    if (this.#busy.has(chain)) {
      this.#again.add(chain);
      return;
    }
    this.#waiting.add(chain);
    this.#pump();
  }

  /** Somebody may have given the rights meanwhile. */
  retryForbidden(): void {
    for (const chain of this.#aside) this.#waiting.add(chain);
    this.#aside.clear();
    this.#pump();
  }

  #pump(): void {
    if (this.#isOver) return;
    for (const chain of this.#waiting) {
      if (this.#busy.size >= MOST_CHAINS_AT_ONCE) return;
      this.#waiting.delete(chain);
      this.#busy.add(chain);
      void this.#drain(chain);
    }
  }

  /** Works on one chain until it is empty or the session ends. */
  async #drain(chain: string): Promise<void> {
    try {
      await this.#sendAll(chain);
    } catch (error) {
      this.#tools.logger.warn({ subject: chain, reason: messageOf(error) }, 'chain put off');
      await sleep(CHAIN_RETRY.most, this.#tools.signal);
      this.#again.add(chain);
    }
    this.#busy.delete(chain);
    if (this.#again.delete(chain) && !this.#aside.has(chain)) this.#waiting.add(chain);
    this.#pump();
  }

  async #sendAll(chain: string): Promise<void> {
    for (let setbacks = 0; !this.#isOver;) {
      const outcome = this.#before.has(chain) ? await this.#sendOldest(chain) : await this.#place(chain);
      if (outcome === 'empty' || outcome === 'forbidden') return;
      if (outcome === 'placed' || outcome === 'again') continue;
      setbacks = outcome === 'sent' ? 0 : setbacks + 1;
      if (setbacks > 0) this.#before.delete(chain);
      // The first setback is answered at once: most often the stream has what we thought lost.
      if (setbacks > 1) await sleep(backoffDelay(CHAIN_RETRY, setbacks - 2), this.#tools.signal);
    }
  }

  /** Asks the stream where the chain stands. */
  async #place(chain: string): Promise<'placed' | 'setback' | 'forbidden'> {
    const { outbox, lineage, stillHolds, logger } = this.#tools;
    try {
      const last = await this.#lastOf(chain);
      if (isForeign(last, lineage) && !(await stillHolds())) return 'setback';
      if (this.#isOver) return 'setback';
      const believed = outbox.position(chain);
      const { position, before } = resume(
        last,
        { position: believed, confirmed: this.#confirmed.get(chain) ?? 0 },
        lineage,
      );
      const isAsBelieved =
        position.acknowledged === believed.acknowledged && position.streamSequence === believed.streamSequence;
      if (!isAsBelieved) await outbox.moveTo(chain, position);
      this.#before.set(chain, formatMessageIds(before));
      return 'placed';
    } catch (error) {
      if (natsErrors.NATS_FORBIDDEN.is(error)) return this.#putAside(chain, error as SkerryError);
      logger.debug({ subject: chain, reason: messageOf(error) }, 'cannot ask for the end of the chain');
      return 'setback';
    }
  }

  async #lastOf(chain: string): Promise<LastMessage | undefined> {
    const last = await readLast(this.#tools.link, UP_STREAM, chain);
    if (last === undefined) return undefined;
    if (last.made !== undefined)
      this.#tools.logger.warn(
        { subject: chain, from: last.made.from },
        'somebody had the NATS server write in this chain',
      );
    return {
      sequence: last.sequence,
      id: parseMessageId(last.messageId ?? ''),
      before: parseMessageIds(last.header(BEFORE_HEADER) ?? ''),
    };
  }

  async #sendOldest(chain: string): Promise<Outcome> {
    const { outbox, sender } = this.#tools;
    const entries = await outbox.oldest(chain, MOST_FACTS_PER_MESSAGE);
    const turn = this.#turns.take(entries.length);
    if (turn !== undefined) await turn;
    if (this.#isOver) return 'setback';
    const message = this.#pack(entries);
    if (message.kind === 'empty') return 'empty';
    if (message.kind === 'too-large') return this.#checkedLeaveOut(chain, message.entry);
    const { newest, payload } = message;
    const result = await sender.send({
      subject: chain,
      payload,
      stream: UP_STREAM,
      messageId: formatMessageId(newest),
      expected: outbox.position(chain).streamSequence,
      before: this.#before.get(chain) ?? '',
    });
    sender.results.add(result.kind);
    if (result.kind !== 'stored') return this.#noteSetback(chain, message, result);
    if (result.duplicate) return this.#confirm(chain, newest.sequence);
    outbox.acknowledge(chain, { acknowledged: newest.sequence, streamSequence: result.sequence });
    this.#forbidden.delete(chain);
    return 'sent';
  }

  async #checkedLeaveOut(chain: string, entry: OutboxEntry): Promise<'again' | 'setback'> {
    const isStill = await this.#tools.link.isLargestStill();
    return isStill && !this.#isOver ? this.#leaveOut(chain, entry) : 'setback';
  }

  /** The server does not take it, and everything behind it would wait for ever: a gap takes its place. */
  async #leaveOut(chain: string, { sequence }: OutboxEntry): Promise<'again' | 'setback'> {
    if (await this.#tools.outbox.leaveOut(chain, sequence)) return 'again';
    this.#tools.logger.error({ subject: chain, sequence }, 'the server takes not even a gap marker');
    return 'setback';
  }

  /** It stands, or stood, in the stream at some place: where the chain ends must be asked. */
  #confirm(chain: string, sequence: number): 'again' {
    this.#confirmed.set(chain, sequence);
    this.#before.delete(chain);
    return 'again';
  }

  #pack(entries: readonly OutboxEntry[]): Packed {
    const { node, terms, link, timeOf } = this.#tools;
    return pack(entries, { most: link.largestMessage - HEADER_BYTES, ofSeveral: this.#ofSeveral }, (entry) => {
      const historical = entry.sequence <= this.#historicalThrough;
      const stamp = { node, id: formatMessageId(entry), term: termOf(terms, entry.sequence), historical };
      return encodeFact(withTimes(entry.fact, timeOf), stamp);
    });
  }

  #noteSetback(chain: string, message: Message, result: SendResult): Outcome | Promise<Outcome> {
    const { logger } = this.#tools;
    if (result.kind === 'forbidden') return this.#putAside(chain, natsErrors.NATS_FORBIDDEN({ subject: chain }));
    if (result.kind === 'refused') {
      const { code, description } = result;
      if (code === MESSAGE_TOO_LARGE) return this.#lighten(chain, message);
      logger.error({ subject: chain, code, reason: description }, 'the stream refuses this chain');
    } else {
      logger.debug({ subject: chain, answer: result.kind }, 'publish not confirmed; asking the stream');
    }
    return 'setback';
  }

  /** The stream does not say how much it takes: only a fact that is refused alone is too large. */
  #lighten(chain: string, { facts, payload, newest }: Message): Outcome | Promise<Outcome> {
    if (facts === 1) return this.#leaveOut(chain, newest);
    this.#ofSeveral = Math.min(this.#ofSeveral, payload.byteLength / 2);
    return 'again';
  }

  #putAside(chain: string, error: SkerryError): 'forbidden' {
    if (!this.#forbidden.has(chain))
      this.#tools.logger.error({ ...error.details, code: error.code }, 'the server forbids a chain');
    this.#forbidden.set(chain, error);
    this.#aside.add(chain);
    this.#before.delete(chain);
    return 'forbidden';
  }
}
