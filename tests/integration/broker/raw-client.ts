// A client of bare packets, for what no well-behaved library would do or show.
import { generate, parser, type Packet } from 'mqtt-packet';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { waitUntil } from '../../support/wait-until.ts';

export class RawClient {
  readonly socket: Socket;
  /** Everything the broker sent, in order. */
  readonly received: Packet[] = [];
  isClosed = false;

  private constructor(socket: Socket) {
    this.socket = socket;
    const incoming = parser();
    incoming.on('packet', (packet) => this.received.push(packet));
    socket.on('data', (chunk) => incoming.parse(chunk));
    socket.on('error', () => undefined);
    socket.on('close', () => {
      this.isClosed = true;
    });
  }

  static async open(port: number): Promise<RawClient> {
    const socket = connect({ host: '127.0.0.1', port, noDelay: true });
    await once(socket, 'connect');
    return new RawClient(socket);
  }

  static async connected(port: number, clientId: string, clean = true): Promise<RawClient> {
    const client = await RawClient.open(port);
    client.send({ cmd: 'connect', protocolId: 'MQTT', protocolVersion: 4, clientId, clean, keepalive: 60 });
    await client.next('connack');
    return client;
  }

  send(packet: Packet): void {
    this.socket.write(generate(packet));
  }

  publish(topic: string, payload: string, more: { qos: 0 | 1 | 2; messageId?: number; dup?: boolean }): void {
    this.send({ cmd: 'publish', topic, payload, retain: false, dup: false, ...more });
  }

  async subscribe(topic: string, qos: 0 | 1 | 2 = 1): Promise<void> {
    this.send({ cmd: 'subscribe', messageId: 900, subscriptions: [{ topic, qos }] });
    await this.next('suback');
  }

  /** The first packet of this command that came, or comes within five seconds. */
  next(cmd: Packet['cmd']): Promise<Packet> {
    return waitUntil(`a ${cmd} packet`, () => this.received.find((packet) => packet.cmd === cmd));
  }

  has(cmd: Packet['cmd']): boolean {
    return this.received.some((packet) => packet.cmd === cmd);
  }

  /** Once answered, everything sent before has been read and what was due at once has been sent. */
  async ping(): Promise<void> {
    const before = this.#pings();
    this.send({ cmd: 'pingreq' });
    await waitUntil('the answer to a ping', () => this.#pings() > before);
  }

  closed(): Promise<true> {
    return waitUntil('the broker to close the connection', () => this.isClosed);
  }

  end(): void {
    this.socket.destroy();
  }

  #pings(): number {
    return this.received.filter((packet) => packet.cmd === 'pingresp').length;
  }
}
