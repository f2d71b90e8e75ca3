// The simulator's own MQTT client, and the only file here that touches `mqtt`. It starts before its broker, outlives the broker's
// restarts, and keeps what was not acknowledged to send it again; how much that may be is its user's to bound, by asking first.
import { connect, Store, type IPublishPacket, type MqttClient } from 'mqtt';
import { randomUUID } from 'node:crypto';
import type { Deadline } from '../src/kit/deadline.ts';
import { messageOf } from '../src/kit/errors.ts';
import type { Logger } from '../src/kit/logger.ts';
import { HEALTHY, type Health, type Service } from '../src/kit/service.ts';
import { ms } from '../src/kit/units.ts';

export interface MqttSessionConfig {
  readonly url: string;
  /** Begins the client id; a random rest keeps two of a kind from cutting each other off. */
  readonly clientName: string;
  /** Asks the broker to keep the session, and marks what is sent again with DUP. Otherwise each connection is a new session. */
  readonly isPersistent?: boolean;
}

export interface MqttSessionEvents {
  /** After each connect and reconnect; subscriptions are in place again, or on their way. */
  readonly onConnected: () => void;
  readonly onMessage: (topic: string, payload: Uint8Array) => void;
}

interface Publication {
  readonly topic: string;
  readonly payload: string;
  readonly onAcknowledged: () => void;
}

const RECONNECT_AFTER = ms(500);

export class MqttSession implements Service {
  readonly name = 'mqtt-session';
  readonly #config: MqttSessionConfig;
  readonly #events: MqttSessionEvents;
  readonly #logger: Logger;
  readonly #topics: readonly string[];
  readonly #drained: (() => void)[] = [];
  #client: MqttClient | undefined;
  #unacknowledged = 0;
  #stopping: Promise<void> | undefined;

  constructor(
    config: MqttSessionConfig & { readonly topics: readonly string[] },
    tools: { readonly events: MqttSessionEvents; readonly logger: Logger },
  ) {
    this.#config = config;
    this.#topics = config.topics;
    this.#events = tools.events;
    this.#logger = tools.logger;
  }

  /** Publications that the broker has not acknowledged: under way, or waiting for a connection. */
  get unacknowledged(): number {
    return this.#unacknowledged;
  }

  /** Resolves while it is still trying: a broker that is away is a normal state. */
  start(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    this.#stopping = undefined;
    const { url, clientName, isPersistent = false } = this.#config;
    const store = new ResendStore();
    const client = connect(url, {
      clientId: `${clientName}-${randomUUID().slice(0, 8)}`,
      reconnectPeriod: RECONNECT_AFTER,
      resubscribe: false,
      ...(isPersistent ? { clean: false, outgoingStore: store } : {}),
    });
    this.#client = client;
    client.on('packetsend', (packet) => {
      if (packet.cmd === 'publish') store.noteSent(packet.messageId);
    });
    client.on('connect', () => {
      this.#connected(client);
    });
    client.on('message', (topic, payload) => {
      if (this.#stopping === undefined) this.#events.onMessage(topic, payload);
    });
    client.on('close', () => {
      this.#nothingToAwait();
    });
    client.on('error', (error) => {
      this.#logger.debug({ url: this.#config.url, reason: messageOf(error) }, 'no connection to the broker');
    });
    return Promise.resolve();
  }

  stop(deadline: Deadline): Promise<void> {
    this.#stopping ??= this.#stop(deadline);
    return this.#stopping;
  }

  health(): Health {
    return this.#client?.connected === true
      ? HEALTHY
      : { state: 'degraded', reason: `no connection to the broker at ${this.#config.url}` };
  }

  /** Publishes at QoS 1; calls back once, when the broker has acknowledged it. Never, when the session stops before. */
  publish(topic: string, payload: string, onAcknowledged: () => void): void {
    const client = this.#client;
    if (client === undefined) return;
    this.#unacknowledged += 1;
    this.#publishOver(client, { topic, payload, onAcknowledged });
  }

  #publishOver(client: MqttClient, publication: Publication): void {
    const { topic, payload, onAcknowledged } = publication;
    client.publish(topic, payload, { qos: 1 }, (error) => {
      if (this.#client !== client) return;
      if (error instanceof Error) {
        // The library gives up what was published while it was resending over a connection that then broke. Not within its
        // callback, where it would give up this one too; before anything else is published, so that the order stays.
        this.#logger.debug({ topic, reason: messageOf(error) }, 'given up by the library; published again');
        if (!client.disconnecting) queueMicrotask(() => this.#publishOver(client, publication));
        return;
      }
      this.#unacknowledged -= 1;
      onAcknowledged();
      if (this.#unacknowledged === 0) this.#nothingToAwait();
    });
  }

  #nothingToAwait(): void {
    for (const resolve of this.#drained.splice(0)) resolve();
  }

  #connected(client: MqttClient): void {
    this.#events.onConnected();
    if (this.#topics.length === 0) return;
    client.subscribe([...this.#topics], { qos: 1 }, (error) => {
      if (error !== null) this.#logger.debug({ reason: messageOf(error) }, 'cannot subscribe');
    });
  }

  /** Waits for acknowledgements only where one can come: as long as there is a connection. */
  async #stop(deadline: Deadline): Promise<void> {
    const client = this.#client;
    if (client === undefined) return;
    if (client.connected && this.#unacknowledged > 0) {
      await deadline.wait(new Promise<void>((resolve) => this.#drained.push(resolve)), undefined);
    }
    const isForced = !client.connected || this.#unacknowledged > 0;
    this.#client = undefined;
    this.#unacknowledged = 0;
    await deadline.wait(client.endAsync(isForced), undefined);
  }
}

/** The library never sets DUP on what it sends again; MQTT 3.1.1 (3.3.1.1) says that a client must. */
class ResendStore extends Store {
  readonly #kept = new Map<number, { readonly packet: IPublishPacket; isSent: boolean }>();

  noteSent(messageId: number | undefined): void {
    const kept = this.#kept.get(messageId ?? 0);
    if (kept !== undefined) kept.isSent = true;
  }

  override put(...[packet, done]: Parameters<Store['put']>): this {
    if (packet.cmd === 'publish') this.#kept.set(packet.messageId ?? 0, { packet, isSent: false });
    return super.put(packet, done);
  }

  override del(...[packet, done]: Parameters<Store['del']>): this {
    this.#kept.delete(packet.messageId ?? 0);
    return super.del(packet, done);
  }

  /** Asked for after each connect: what is in it will be sent in its order. */
  override createStream(): ReturnType<Store['createStream']> {
    for (const { packet, isSent } of this.#kept.values()) if (isSent) packet.dup = true;
    return super.createStream();
  }
}
