// The connection between edge or hub and the NATS server, as a service. Being away is a normal state of a link: `start` returns
// while it is still trying, reconnects never give up, and `publish` says whether the bytes left instead of dropping them silently.
import { connect, createInbox, Events, type Msg, type NatsConnection } from 'nats';
import { backoffDelay } from '../kit/backoff.ts';
import { Deadline } from '../kit/deadline.ts';
import { codeOf, messageOf } from '../kit/errors.ts';
import type { Logger } from '../kit/logger.ts';
import { HEALTHY, type Health, type Service } from '../kit/service.ts';
import { sleep } from '../kit/sleep.ts';
import { TaskGroup } from '../kit/task-group.ts';
import { ms, seconds, type Duration } from '../kit/units.ts';
import type { NatsAccess } from '../wire/node-identity.ts';
import { connectionOptions } from './connection-options.ts';
import type { NatsMessage } from './nats-message.ts';
import { headersOf, type Headers } from './plain-headers.ts';
import { Requests } from './requests.ts';

export type { NatsMessage };

export interface NatsLinkConfig {
  /** Asked at every connect and reconnect, so that what was renewed meanwhile is taken. */
  readonly credentials: () => NatsAccess;
  /** PEM of the authority that a server at a `tls:` URL is checked against; those that the system trusts where it gives none. */
  readonly ca?: () => string | undefined;
  /** Shown by the server's monitoring. */
  readonly clientName: string;
  readonly inboxPrefix: string;
}

/** Silence that the link bears: two unanswered pings, so a cut without a close is noticed within 10 s. */
const PING_EVERY = seconds(3);
const PINGS_UNANSWERED = 2;
/** The server's words, some of which the library has codes for: authorization violation, user authentication expired or revoked. */
const REFUSED = /authori[sz]ation|authentication (expired|revoked)/i;
/** What a stopping link waits for the server to take what was written. */
const LAST_WORDS = seconds(1);
const RECONNECT = { first: ms(100), most: seconds(1) };

export class NatsLink implements Service {
  readonly name = 'nats-link';
  readonly #config: NatsLinkConfig;
  readonly #logger: Logger;
  readonly #tasks = new TaskGroup();
  readonly #requests: Requests;
  readonly #subscriptions: { readonly subject: string; readonly handle: (message: NatsMessage) => void }[] = [];
  readonly #connectedListeners: (() => void)[] = [];
  readonly #disconnectedListeners: (() => void)[] = [];
  readonly #forbiddenListeners: ((subject: string) => void)[] = [];
  readonly #refusedListeners: (() => void)[] = [];
  #connection: NatsConnection | undefined;
  #connected = false;
  #url = '';
  #reason = 'not connected yet';

  constructor(config: NatsLinkConfig, tools: { readonly logger: Logger }) {
    this.#config = config;
    this.#logger = tools.logger;
    this.#requests = new Requests(createInbox(config.inboxPrefix));
    this.subscribe(this.#requests.subject, (message) => this.#requests.hear(message));
  }

  get ended(): Promise<unknown> {
    return this.#tasks.ended;
  }

  get connected(): boolean {
    return this.#connected;
  }

  start(_signal: AbortSignal): Promise<void> {
    this.#tasks.run('connect', (signal) => this.#stayConnected(signal));
    return Promise.resolve();
  }

  async stop(deadline: Deadline): Promise<void> {
    const connection = this.#connection;
    this.#lost('stopped');
    // First of all, so that the loop does not connect again as soon as this connection is closed.
    const ended = this.#tasks.close(deadline);
    if (connection !== undefined) {
      // A server that is silent must not cost whoever stops after us their time.
      const patience = Deadline.after(ms(Math.min(LAST_WORDS, deadline.remaining())));
      await patience.wait(connection.flush().catch(ignoreClosed), undefined);
      await patience.wait(connection.close(), undefined);
    }
    await ended;
  }

  health(): Health {
    return this.#connected
      ? HEALTHY
      : { state: 'degraded', reason: `no link to NATS at ${this.#url}: ${this.#reason}` };
  }

  /**
   * Connects again with the present credentials, once the server has what was written. Whoever waits for an answer meanwhile learns
   * that there was a gap, as with any other.
   */
  async reconnect(): Promise<void> {
    const connection = this.#connection;
    if (connection === undefined) return;
    await Deadline.after(LAST_WORDS).wait(connection.flush().catch(ignoreClosed), undefined);
    await connection.close();
  }

  /** Called after each connect and reconnect, once subscriptions are in place again. */
  onConnected(listener: () => void): void {
    this.#connectedListeners.push(listener);
    if (this.#connected) listener();
  }

  onDisconnected(listener: () => void): void {
    this.#disconnectedListeners.push(listener);
  }

  /** Called when the server does not take the credentials, or takes them no more. */
  onRefused(listener: () => void): void {
    this.#refusedListeners.push(listener);
  }

  /** Called with the subject of a publish that the server refused to this user: nobody else answers it. */
  onForbidden(listener: (subject: string) => void): void {
    this.#forbiddenListeners.push(listener);
  }

  /** Hands the bytes to the socket. False when there is no connection: nothing was sent. */
  publish(
    subject: string,
    payload: Uint8Array,
    options: { readonly reply?: string; readonly headers?: Headers } = {},
  ): boolean {
    if (!this.#connected || this.#connection === undefined) return false;
    try {
      this.#connection.publish(subject, payload, {
        ...(options.reply === undefined ? {} : { reply: options.reply }),
        ...(options.headers === undefined ? {} : { headers: headersOf(options.headers) }),
      });
      return true;
    } catch (error) {
      // The library throws while a connection is closing, and for what is larger than the server takes.
      this.#logger.warn({ subject, reason: messageOf(error) }, 'not published');
      return false;
    }
  }

  /** Resolves with the answer; rejects with NATS_UNAVAILABLE (time-out, no link) or NATS_FORBIDDEN. */
  async request(
    subject: string,
    payload: Uint8Array,
    options: { readonly headers?: Headers; readonly timeout?: Duration } = {},
  ): Promise<NatsMessage> {
    const { reply, answer } = this.#requests.begin(subject, options.timeout ?? seconds(3));
    const { headers } = options;
    if (!this.publish(subject, payload, { reply, ...(headers === undefined ? {} : { headers }) }))
      this.#requests.cancel(reply);
    return await answer;
  }

  /** Holds across reconnects. The handler must not throw. */
  subscribe(subject: string, handle: (message: NatsMessage) => void): void {
    this.#subscriptions.push({ subject, handle });
    if (this.#connection !== undefined) this.#open(this.#connection, subject, handle);
  }

  /** A subject of its own for answers. */
  newInbox(): string {
    return createInbox(this.#config.inboxPrefix);
  }

  /** The most bytes that the server said it takes as one message, headers included; no limit where nobody said any. */
  get largestMessage(): number {
    return this.#connection?.info?.max_payload ?? Number.POSITIVE_INFINITY;
  }

  /**
   * Asks the server anew: it says what it takes when a connection begins, and not when that changes. Where it takes more by now, the
   * connection is given up for a new one. False where that is so, or nobody answers.
   */
  async isLargestStill(): Promise<boolean> {
    const connection = this.#connection;
    const other = await this.#tryConnect();
    const now = other?.info?.max_payload ?? Number.POSITIVE_INFINITY;
    await other?.close();
    if (other === undefined || connection === undefined || connection !== this.#connection) return false;
    if (now <= this.largestMessage) return true;
    await connection.close();
    return false;
  }

  /** The library's connection, for the JetStream adapters of this folder only. */
  jetStreamConnection(): NatsConnection | undefined {
    return this.#connected ? this.#connection : undefined;
  }

  async #stayConnected(signal: AbortSignal): Promise<void> {
    for (let attempt = 0; !signal.aborted; attempt += 1) {
      const connection = await this.#tryConnect();
      if (connection === undefined) {
        await sleep(backoffDelay(RECONNECT, attempt), signal);
        continue;
      }
      attempt = -1;
      await this.#serve(connection);
    }
  }

  async #tryConnect(): Promise<NatsConnection | undefined> {
    const { credentials, ca, clientName, inboxPrefix } = this.#config;
    try {
      const access = credentials();
      this.#url = access.url;
      // Reconnecting is ours: the library would replay buffered publishes, which the chains must not send twice blindly.
      return await connect({
        ...connectionOptions(access, ca?.()),
        name: clientName,
        inboxPrefix,
        reconnect: false,
        timeout: seconds(3),
        pingInterval: PING_EVERY,
        maxPingOut: PINGS_UNANSWERED,
      });
    } catch (error) {
      this.#reason = messageOf(error);
      this.#tellRefused(error);
      this.#logger.debug({ url: this.#url, reason: this.#reason }, 'cannot reach NATS');
      return undefined;
    }
  }

  async #serve(connection: NatsConnection): Promise<void> {
    if (this.#tasks.signal.aborted) return connection.close();
    this.#connection = connection;
    for (const { subject, handle } of this.#subscriptions) this.#open(connection, subject, handle);
    // Not awaited: the library never ends its status iterator; it goes with the connection.
    void this.#watchStatus(connection);
    // A round trip: the server has taken the subscriptions before anybody asks something whose answer comes on one.
    // The library leaves it open for ever when the connection ends meanwhile.
    await Promise.race([connection.flush().catch(ignoreClosed), connection.closed()]);
    if (!connection.isClosed()) {
      this.#connected = true;
      this.#logger.info({ url: this.#url }, 'linked to NATS');
      for (const listener of this.#connectedListeners) listener();
    }
    const failure = await connection.closed();
    this.#tellRefused(failure);
    this.#lost(failure === undefined ? 'the server closed the connection' : messageOf(failure));
  }

  async #watchStatus(connection: NatsConnection): Promise<void> {
    for await (const status of connection.status()) {
      if (status.type !== Events.Error) continue;
      const subject = status.permissionContext?.operation === 'publish' ? status.permissionContext.subject : undefined;
      if (subject === undefined) this.#logger.warn({ reason: JSON.stringify(status.data) }, 'NATS reported an error');
      else this.#forbidden(subject);
    }
  }

  /** Whoever published says it once; here it may come with every repetition. */
  #forbidden(subject: string): void {
    this.#logger.debug({ subject }, 'the server forbids a publish');
    this.#requests.forbid(subject);
    for (const listener of this.#forbiddenListeners) listener(subject);
  }

  #tellRefused(failure: unknown): void {
    if (failure === undefined || !REFUSED.test(`${codeOf(failure) ?? ''} ${messageOf(failure)}`)) return;
    for (const listener of this.#refusedListeners) listener();
  }

  #lost(reason: string): void {
    this.#connection = undefined;
    this.#requests.giveUp();
    if (!this.#connected) return;
    this.#connected = false;
    this.#reason = reason;
    this.#logger.info({ url: this.#url, reason }, 'link to NATS lost');
    for (const listener of this.#disconnectedListeners) listener();
  }

  #open(connection: NatsConnection, subject: string, handle: (message: NatsMessage) => void): void {
    connection.subscribe(subject, {
      callback: (error, message) => {
        if (error === null) handle(messageFrom(message));
        else this.#logger.warn({ subject, reason: messageOf(error) }, 'subscription refused');
      },
    });
  }
}

function messageFrom(message: Msg): NatsMessage {
  const found = message.headers;
  return {
    subject: message.subject,
    data: message.data,
    header: (name) => {
      const value = found?.get(name);
      return value === '' ? undefined : value;
    },
    values: (name) => found?.values(name) ?? [],
    status: found !== undefined && found.code !== 0 ? found.code : undefined,
  };
}

/** A connection that closes while we flush has lost its link; the `closed` promise tells that story. */
function ignoreClosed(): void {
  return undefined;
}
