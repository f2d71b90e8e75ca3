// MQTT clients that keep the protocol to the letter over any number of connections, and show what they were promised: a publisher
// that sends again what was not acknowledged, and a subscriber that knows a QoS 2 message again (MQTT 3.1.1, 4.3 and 4.4).
import { generate, parser, type IPublishPacket, type ISubscription, type Packet } from 'mqtt-packet';
import { connect, type Socket } from 'node:net';

const RECONNECT_AFTER_MS = 10;
const LARGEST_MESSAGE_ID = 65_535;

/** Comes back until it is told to stay away. */
abstract class Reconnecting {
  readonly id: string;
  readonly #port: number;
  #socket: Socket | undefined;
  #isWanted = false;
  isReady = false;
  /** What each CONNACK said. */
  readonly sessionsPresent: boolean[] = [];

  constructor(id: string, port: number) {
    this.id = id;
    this.#port = port;
  }

  come(): void {
    this.#isWanted = true;
    if (this.#socket === undefined) this.#connect();
  }

  /** Without a word. */
  go(): void {
    this.#isWanted = false;
    this.#socket?.destroy();
  }

  /** The connection is cut, and made again. */
  stumble(): void {
    this.#socket?.destroy();
  }

  protected send(packet: Packet): void {
    if (this.#socket?.writable === true) this.#socket.write(generate(packet));
  }

  protected abstract began(): void;
  protected abstract took(packet: Packet): void;

  #connect(): void {
    const socket = (this.#socket = connect({ host: '127.0.0.1', port: this.#port, noDelay: true }));
    const incoming = parser();
    incoming.on('packet', (packet) => {
      if (!socket.destroyed) this.#take(packet);
    });
    socket.on('data', (chunk) => incoming.parse(chunk));
    socket.on('error', () => undefined);
    socket.on('connect', () => {
      const hello = { cmd: 'connect', protocolId: 'MQTT', protocolVersion: 4, clientId: this.id } as const;
      this.send({ ...hello, clean: false, keepalive: 60 });
    });
    socket.on('close', () => {
      this.#socket = undefined;
      this.isReady = false;
      if (this.#isWanted)
        setTimeout(() => this.#isWanted && this.#socket === undefined && this.#connect(), RECONNECT_AFTER_MS);
    });
  }

  #take(packet: Packet): void {
    if (packet.cmd !== 'connack') {
      this.took(packet);
      return;
    }
    this.sessionsPresent.push(packet.sessionPresent);
    this.isReady = true;
    this.began();
  }
}

interface Open {
  readonly packet: IPublishPacket & { readonly messageId: number };
  readonly accepted: () => void;
  isReceived: boolean;
}

export class ExactPublisher extends Reconnecting {
  readonly #open = new Map<number, Open>();
  #lastId = 0;

  get unfinished(): number {
    return this.#open.size;
  }

  /** `accepted`: the broker has said that it has it (PUBACK, PUBREC). */
  publish(topic: string, payload: string, qos: 1 | 2, accepted: () => void): void {
    const messageId = this.#freeId();
    const packet = { cmd: 'publish', topic, payload, qos, retain: false, dup: false, messageId } as const;
    this.#open.set(messageId, { packet, accepted, isReceived: false });
    if (this.isReady) this.send(packet);
  }

  protected began(): void {
    for (const { packet, isReceived } of this.#open.values())
      this.send(isReceived ? { cmd: 'pubrel', messageId: packet.messageId } : { ...packet, dup: true });
  }

  protected took({ cmd, messageId = 0 }: Packet): void {
    const open = this.#open.get(messageId);
    if (open === undefined) return;
    if (cmd === 'pubrec') {
      if (!open.isReceived) open.accepted();
      open.isReceived = true;
      this.send({ cmd: 'pubrel', messageId });
    } else if (cmd === 'puback' || cmd === 'pubcomp') {
      this.#open.delete(messageId);
      if (cmd === 'puback') open.accepted();
    }
  }

  #freeId(): number {
    do this.#lastId = (this.#lastId % LARGEST_MESSAGE_ID) + 1;
    while (this.#open.has(this.#lastId));
    return this.#lastId;
  }
}

export interface Received {
  readonly topic: string;
  readonly payload: string;
  readonly qos: 0 | 1 | 2;
}

export class ExactSubscriber extends Reconnecting {
  readonly received: Received[] = [];
  isSubscribed = false;
  readonly #filters: readonly ISubscription[];
  readonly #heard: (subscriber: ExactSubscriber) => void;
  readonly #unanswered: (() => void)[] = [];
  /** QoS 2 messages that were taken and not released. */
  readonly #unreleased = new Set<number>();

  /** `heard` may cut the connection: what is being received is not acknowledged then. */
  constructor(
    who: { readonly id: string; readonly port: number; readonly filters: Readonly<Record<string, 0 | 1 | 2>> },
    heard: (subscriber: ExactSubscriber) => void = () => undefined,
  ) {
    super(who.id, who.port);
    this.#filters = Object.entries(who.filters).map(([topic, qos]) => ({ topic, qos }));
    this.#heard = heard;
  }

  /** Once answered, on whichever connection, what was due has been sent. */
  ping(): Promise<void> {
    return new Promise((resolve) => {
      this.#unanswered.push(resolve);
      this.send({ cmd: 'pingreq' });
    });
  }

  protected began(): void {
    if (this.#unanswered.length > 0) this.send({ cmd: 'pingreq' });
    if (!this.isSubscribed) this.send({ cmd: 'subscribe', messageId: 1, subscriptions: [...this.#filters] });
  }

  protected took(packet: Packet): void {
    const { messageId = 0 } = packet;
    if (packet.cmd === 'suback') this.isSubscribed = true;
    if (packet.cmd === 'pingresp') for (const answered of this.#unanswered.splice(0)) answered();
    if (packet.cmd === 'publish') this.#takeMessage(packet, messageId);
    if (packet.cmd !== 'pubrel') return;
    this.#unreleased.delete(messageId);
    this.send({ cmd: 'pubcomp', messageId });
  }

  #takeMessage({ topic, payload, qos }: IPublishPacket, messageId: number): void {
    if (qos !== 2 || !this.#unreleased.has(messageId)) this.received.push({ topic, payload: payload.toString(), qos });
    if (qos === 2) this.#unreleased.add(messageId);
    this.#heard(this);
    if (qos > 0) this.send({ cmd: qos === 1 ? 'puback' : 'pubrec', messageId });
  }
}
