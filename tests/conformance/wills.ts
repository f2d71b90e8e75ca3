// Last wills: 3.1.2.5 to 3.1.2.7.
import type { Behaviour, Stage } from './behaviour.ts';
import { DISCONNECT, packet, pubrec, text, u16, type Qos } from '../support/mqtt-bytes.ts';
import type { Wire } from './wire.ts';

const WILL = { topic: 'will', payload: 'gone' };

/** What a subscriber hears when a client with a will goes in some way. */
async function afterGoing(stage: Stage, go: (client: Wire) => unknown, keepalive = 0): Promise<string> {
  const subscriber = await stage.subscriber('will', 2);
  const client = await stage.connect('client', { will: WILL, keepalive });
  await go(client);
  await client.ending(20_000);
  const publisher = await stage.connect('publisher');
  await publisher.publish('will', 'end');
  return subscriber.untilEnd();
}

const atQos = (qos: Qos): Behaviour => ({
  clause: 'MQTT-3.1.2-8',
  title: `a will at QoS ${qos} is published at QoS ${qos}`,
  expected: `PUBLISH will gone QoS ${qos}${qos === 0 ? '' : ' #1'}`,
  play: async (stage) => {
    const subscriber = await stage.subscriber('will', 2);
    const client = await stage.connect('client', { will: { ...WILL, qos } });
    await client.cut();
    return subscriber.heard(1);
  },
});

export const WILL_BEHAVIOURS: readonly Behaviour[] = [
  {
    clause: 'MQTT-3.1.2-8',
    title: 'a lost connection publishes the will',
    expected: 'PUBLISH will gone QoS 0',
    play: (stage) => afterGoing(stage, (client) => client.cut()),
  },
  {
    clause: 'MQTT-3.1.2-8',
    title: 'a connection that the client closes without DISCONNECT publishes the will',
    expected: 'PUBLISH will gone QoS 0',
    play: (stage) => afterGoing(stage, (client) => client.socket.end()),
  },
  {
    clause: 'MQTT-3.1.2-8',
    title: 'a keep alive that passes publishes the will',
    expected: 'PUBLISH will gone QoS 0',
    play: (stage) => afterGoing(stage, () => undefined, 1),
  },
  {
    clause: 'MQTT-3.1.2-8',
    title: 'a protocol error publishes the will',
    expected: 'PUBLISH will gone QoS 0',
    play: (stage) => afterGoing(stage, (client) => client.send(packet(0x36, text('a'), u16(1)))),
  },
  {
    clause: 'MQTT-3.14.4-3',
    title: 'DISCONNECT discards the will',
    expected: 'nothing',
    play: (stage) => afterGoing(stage, (client) => client.send(DISCONNECT)),
  },
  {
    clause: 'MQTT-3.14.1-1',
    title: 'a DISCONNECT with reserved bits is a protocol error, and the will is published',
    expected: 'PUBLISH will gone QoS 0',
    play: (stage) => afterGoing(stage, (client) => client.send(packet(0xe1))),
  },
  {
    clause: 'MQTT-3.1.2-10',
    title: 'a will is published once, not again when its client has come and gone',
    expected: 'PUBLISH will gone QoS 0',
    play: async (stage) => {
      const subscriber = await stage.subscriber('will');
      const client = await stage.connect('client', { will: WILL, clean: false });
      await client.cut();
      const again = await stage.connect('client', { clean: false });
      await again.cut();
      const publisher = await stage.connect('publisher');
      await publisher.publish('will', 'end');
      return subscriber.untilEnd();
    },
  },
  {
    clause: 'MQTT-3.1.2-12',
    title: 'a client without a will says nothing when it goes',
    expected: 'nothing',
    play: async (stage) => {
      const subscriber = await stage.subscriber('#');
      const client = await stage.connect('client');
      await client.cut();
      const publisher = await stage.connect('publisher');
      await publisher.publish('will', 'end');
      return subscriber.untilEnd();
    },
  },
  atQos(0),
  atQos(1),
  atQos(2),
  {
    clause: 'MQTT-3.1.2-17',
    title: 'a will with its retain flag is found by who subscribes later',
    expected: 'PUBLISH will gone QoS 1 / PUBLISH will gone QoS 1 retain',
    play: async (stage) => {
      const subscriber = await stage.subscriber('will', 1);
      const client = await stage.connect('client', { will: { ...WILL, qos: 1, retain: true } });
      await client.cut();
      const live = await subscriber.heard(1);
      const later = await stage.connect('later');
      await later.subscribe('will', 1);
      return `${live} / ${await later.heard(1)}`.replaceAll(/ #\d/g, '');
    },
  },
  {
    clause: 'MQTT-3.1.2-16',
    title: 'a will without its retain flag is not retained',
    expected: 'PUBLISH will gone QoS 0 / nothing',
    play: async (stage) => {
      const subscriber = await stage.subscriber('will', 1);
      const client = await stage.connect('client', { will: WILL });
      await client.cut();
      const live = await subscriber.heard(1);
      const later = await stage.connect('later');
      await later.subscribe('will', 1);
      return `${live} / ${await later.heard()}`;
    },
  },
  {
    clause: '3.1.3.3',
    title: 'a will may be empty',
    expected: 'PUBLISH will QoS 0',
    play: async (stage) => {
      const subscriber = await stage.subscriber('will');
      const client = await stage.connect('client', { will: { topic: 'will' } });
      await client.cut();
      return subscriber.heard(1);
    },
  },
  {
    clause: 'MQTT-3.1.2-8',
    title: 'a will waits for a persistent session that is away',
    expected: 'PUBLISH will gone QoS 2 #1, PUBREL #1',
    play: async (stage) => {
      const first = await stage.subscriber('will', 2, { clean: false });
      await first.cut();
      const client = await stage.connect('client', { will: { ...WILL, qos: 2 } });
      await client.cut();
      // The end of it, for both brokers: another will that came after.
      const witness = await stage.connect('witness');
      await witness.subscribe('second', 0);
      const second = await stage.connect('second', { will: { topic: 'second', payload: 'gone' } });
      await second.cut();
      await witness.take('PUBLISH');
      const again = await stage.connect('subscriber', { clean: false });
      const publication = await again.take('PUBLISH');
      again.send(pubrec(publication.id));
      const rest = await again.heard(1);
      return `PUBLISH will ${publication.payload} QoS ${(publication.flags >> 1) & 3} #1, ${rest}`;
    },
  },
];
