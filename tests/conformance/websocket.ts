// MQTT over WebSocket: chapter 6.
import { once } from 'node:events';
import { WebSocket } from 'ws';
import { waitUntil } from '../support/wait-until.ts';
import { LENIENT, type Behaviour, type Stage } from './behaviour.ts';
import { connect, PINGREQ, publish, subscribe } from '../support/mqtt-bytes.ts';
import { PacketCutter } from './wire.ts';

class Web implements Disposable {
  readonly socket: WebSocket;
  readonly #heard: string[] = [];
  #isClosed = false;

  private constructor(socket: WebSocket) {
    this.socket = socket;
    const cutter = new PacketCutter();
    socket.on('message', (data: Buffer, isBinary) => {
      const kind = isBinary ? '' : ' as text';
      this.#heard.push(
        ...cutter.cut(data).map(({ type, payload }) => `${type}${payload === '' ? '' : ` ${payload}`}${kind}`),
      );
    });
    socket.on('error', () => undefined);
    socket.on('close', () => {
      this.#isClosed = true;
    });
  }

  static async open(stage: Stage, ...protocols: readonly string[]): Promise<Web> {
    const web = new Web(new WebSocket(`ws://127.0.0.1:${stage.broker.wsPort}`, [...protocols]));
    await once(web.socket, 'open');
    return web;
  }

  async heard(atLeast: number): Promise<string> {
    await waitUntil('packets, or the end', () => this.#isClosed || this.#heard.length >= atLeast);
    return [...this.#heard.splice(0), ...(this.#isClosed ? ['closed'] : [])].join(', ');
  }

  [Symbol.dispose](): void {
    this.socket.terminate();
  }
}

export const WEBSOCKET_BEHAVIOURS: readonly Behaviour[] = [
  {
    clause: 'MQTT-6.0.0-4',
    title: 'of the subprotocols that a client offers, mqtt is chosen',
    expected: 'mqtt, CONNACK',
    play: async (stage) => {
      using web = await Web.open(stage, 'other', 'mqtt');
      web.socket.send(connect());
      return `${web.socket.protocol}, ${await web.heard(1)}`;
    },
  },
  {
    clause: 'MQTT-6.0.0-2',
    title: 'a packet may span frames, and a frame may hold packets',
    expected: 'CONNACK, SUBACK, PUBLISH x, PUBLISH y',
    play: async (stage) => {
      using web = await Web.open(stage, 'mqtt');
      const bytes = Buffer.concat([connect(), subscribe(5, ['a', 0])]);
      web.socket.send(bytes.subarray(0, 5));
      web.socket.send(bytes.subarray(5));
      const heard = await web.heard(2);
      web.socket.send(Buffer.concat([publish('a', 'x'), publish('a', 'y')]));
      return `${heard}, ${await web.heard(2)}`;
    },
  },
  {
    clause: 'MQTT-6.0.0-1',
    title: 'a frame of text ends the connection',
    expected: 'closed',
    mosquitto: { seen: 'CONNACK', why: LENIENT },
    play: async (stage) => {
      using web = await Web.open(stage, 'mqtt');
      web.socket.send(connect().toString('latin1'));
      return await web.heard(1);
    },
  },
  {
    clause: 'MQTT-6.0.0-1',
    title: 'a frame of text of a client that is connected ends the connection, and is not read',
    expected: 'closed / nothing',
    mosquitto: { seen: 'PINGRESP / PUBLISH a x QoS 0', why: LENIENT },
    play: async (stage) => {
      const subscriber = await stage.subscriber('a');
      using web = await Web.open(stage, 'mqtt');
      web.socket.send(connect());
      await web.heard(1);
      web.socket.send(publish('a', 'x').toString('latin1'));
      web.socket.send(PINGREQ);
      const seen = await web.heard(1);
      const publisher = await stage.connect('publisher');
      await publisher.publish('a', 'end');
      return `${seen} / ${await subscriber.untilEnd()}`;
    },
  },
  {
    clause: '6',
    title: 'a client on a WebSocket and one on TCP hear each other',
    expected: 'PUBLISH from tcp / PUBLISH a from web QoS 0',
    play: async (stage) => {
      using web = await Web.open(stage, 'mqtt');
      web.socket.send(Buffer.concat([connect({ id: 'web' }), subscribe(5, ['b', 0])]));
      await web.heard(2);
      const tcp = await stage.subscriber('a');
      tcp.send(publish('b', 'from tcp'));
      const there = await web.heard(1);
      web.socket.send(publish('a', 'from web'));
      return `${there} / ${await tcp.heard(1)}`;
    },
  },
];
