// Client identifiers and the sessions that belong to them: 3.1.2.4 and 3.1.3.1.
import { connect, pubrel, publish } from '../support/mqtt-bytes.ts';
import { AT_RELEASE, type Behaviour } from './behaviour.ts';

export const WILL = { topic: 'will', payload: 'gone' };

export const IDENTIFIERS: readonly Behaviour[] = [
  {
    clause: 'MQTT-3.1.3-6',
    title: 'an empty client id with a clean session is accepted',
    expected: 'CONNACK 0',
    play: async (stage) => {
      const client = await stage.open();
      client.send(connect({ id: '' }));
      return client.heard(1);
    },
  },
  {
    clause: 'MQTT-3.1.3-6',
    title: 'two clients with empty client ids are two clients',
    expected: 'nothing / nothing',
    play: async (stage) => {
      const one = await stage.connect('');
      const two = await stage.connect('');
      return `${await one.heard()} / ${await two.heard()}`;
    },
  },
  {
    clause: 'MQTT-3.1.3-8',
    title: 'an empty client id without a clean session is refused with CONNACK 2, and the connection ends',
    expected: 'CONNACK 2, closed',
    play: (stage) => stage.ending(connect({ id: '', clean: false })),
  },
  {
    clause: 'MQTT-3.1.3-5',
    title: 'a client id of 23 letters and digits is accepted',
    expected: 'CONNACK 0',
    play: async (stage) => {
      const client = await stage.open();
      client.send(connect({ id: '0123456789abcdefghijABC' }));
      return client.heard(1);
    },
  },
  {
    clause: 'MQTT-3.1.3-5',
    title: 'a client id of 300 characters, with signs and umlauts, may be accepted',
    expected: 'CONNACK 0',
    play: async (stage) => {
      const client = await stage.open();
      client.send(connect({ id: `ä/+#$ ${'x'.repeat(294)}` }));
      return client.heard(1);
    },
  },
  {
    clause: 'MQTT-3.1.3-4',
    title: 'a client id that is not UTF-8 ends the connection',
    expected: 'closed',
    play: (stage) => stage.ending(connect({ id: Buffer.of(0x63, 0xff, 0xfe) })),
  },
  {
    clause: 'MQTT-3.1.4-2',
    title: 'a second client of the same id takes over, and the first is disconnected',
    expected: 'closed / nothing',
    play: async (stage) => {
      const first = await stage.connect('same');
      const second = await stage.connect('same');
      return `${await first.ending()} / ${await second.heard()}`;
    },
  },
  {
    clause: 'MQTT-3.1.4-2',
    title: 'a client that takes over a session gets its messages, the first gets none',
    expected: 'closed / PUBLISH a x QoS 1 #1',
    play: async (stage) => {
      const first = await stage.subscriber('a', 1, { clean: false });
      const second = await stage.connect('subscriber', { clean: false });
      const publisher = await stage.connect('publisher');
      await publisher.publish('a', 'x', { qos: 1 });
      return `${await first.ending()} / ${await second.heard(1)}`;
    },
  },
  {
    clause: 'MQTT-3.1.4-2',
    title: 'a takeover publishes the will of the first client',
    expected: 'PUBLISH will gone QoS 0',
    play: async (stage) => {
      const subscriber = await stage.subscriber('will');
      await stage.connect('same', { will: WILL });
      await stage.connect('same');
      return subscriber.heard(1);
    },
  },
];

export const SESSIONS: readonly Behaviour[] = [
  {
    clause: 'MQTT-3.2.2-1',
    title: 'a clean session is never present',
    expected: 'CONNACK 0',
    play: async (stage) => {
      const first = await stage.subscriber('a', 1, { clean: false });
      await first.cut();
      const again = await stage.open();
      again.send(connect({ id: 'subscriber', clean: true }));
      return again.heard(1);
    },
  },
  {
    clause: 'MQTT-3.2.2-3',
    title: 'a session that was never there is not present',
    expected: 'CONNACK 0',
    play: async (stage) => {
      const client = await stage.open();
      client.send(connect({ id: 'new', clean: false }));
      return client.heard(1);
    },
  },
  {
    clause: 'MQTT-3.2.2-2',
    title: 'a session with a subscription is present again',
    expected: 'CONNACK 0 session present',
    play: async (stage) => {
      const first = await stage.subscriber('a', 1, { clean: false });
      await first.cut();
      const again = await stage.open();
      again.send(connect({ id: 'subscriber', clean: false }));
      return again.heard(1);
    },
  },
  {
    clause: 'MQTT-3.2.2-2',
    title: 'a session with a QoS 2 publication half received is present again',
    expected: 'CONNACK 0 session present',
    play: async (stage) => {
      const first = await stage.connect('publisher', { clean: false });
      first.send(publish('a', 'x', { qos: 2, id: 5 }));
      await first.take('PUBREC');
      await first.cut();
      const again = await stage.open();
      again.send(connect({ id: 'publisher', clean: false }));
      return again.heard(1);
    },
  },
  {
    clause: 'MQTT-3.2.2-2',
    title: 'a session in which nothing happened is present again',
    expected: 'CONNACK 0 session present',
    ours: {
      seen: 'CONNACK 0',
      why: 'A session without subscriptions, messages and packet ids holds nothing: we do not store it, and say so (MQTT-3.2.2-3).',
    },
    play: async (stage) => {
      const first = await stage.connect('idle', { clean: false });
      await first.cut();
      const again = await stage.open();
      again.send(connect({ id: 'idle', clean: false }));
      return again.heard(1);
    },
  },
  {
    clause: 'MQTT-3.1.2-6',
    title: 'a clean session discards the one before, for good',
    expected: 'CONNACK 0, nothing',
    play: async (stage) => {
      const first = await stage.subscriber('a', 1, { clean: false });
      await first.cut();
      const clean = await stage.connect('subscriber', { clean: true });
      await clean.cut();
      const publisher = await stage.connect('publisher');
      await publisher.publish('a', 'x', { qos: 1 });
      const again = await stage.open();
      again.send(connect({ id: 'subscriber', clean: false }));
      return `${await again.heard(1)}, ${await again.heard()}`;
    },
  },
  {
    clause: 'MQTT-3.1.2-6',
    title: 'the subscriptions of a clean session end with its connection',
    expected: 'CONNACK 0, nothing',
    play: async (stage) => {
      const first = await stage.subscriber('a', 1);
      await first.cut();
      const again = await stage.open();
      again.send(connect({ id: 'subscriber', clean: false }));
      const connack = await again.heard(1);
      const publisher = await stage.connect('publisher');
      await publisher.publish('a', 'x', { qos: 1 });
      return `${connack}, ${await again.heard()}`;
    },
  },
  {
    clause: 'MQTT-3.1.2-6',
    title: 'a clean session forgets a QoS 2 publication half received: its packet id is free',
    expected: 'PUBLISH a one QoS 2 #1, PUBLISH a two QoS 2 #2',
    mosquitto: { seen: 'PUBLISH a two QoS 2 #1', why: AT_RELEASE },
    play: async (stage) => {
      const subscriber = await stage.subscriber('a', 2);
      const first = await stage.connect('publisher');
      first.send(publish('a', 'one', { qos: 2, id: 5 }));
      await first.take('PUBREC');
      await first.cut();
      const again = await stage.connect('publisher');
      again.send(publish('a', 'two', { qos: 2, id: 5 }));
      await again.take('PUBREC');
      again.send(pubrel(5));
      await again.take('PUBCOMP');
      await again.publish('a', 'end', { qos: 2, id: 6 });
      return subscriber.untilEnd();
    },
  },
  {
    clause: 'MQTT-3.1.2-5',
    title: 'messages at QoS 1 and 2 wait for a session that is away, in order',
    expected: 'PUBLISH a one QoS 1 #1, PUBLISH a two QoS 2 #2, PUBLISH a three QoS 1 #3',
    play: async (stage) => {
      const first = await stage.subscriber('a', 2, { clean: false });
      await first.cut();
      const publisher = await stage.connect('publisher');
      await publisher.publish('a', 'one', { qos: 1, id: 1 });
      await publisher.publish('a', 'two', { qos: 2, id: 2 });
      await publisher.publish('a', 'three', { qos: 1, id: 3 });
      const again = await stage.connect('subscriber', { clean: false });
      return again.heard(3);
    },
  },
  {
    clause: '3.1.2.4',
    title: 'a message at QoS 0 need not wait for a session that is away',
    expected: 'nothing',
    play: async (stage) => {
      const first = await stage.subscriber('a', 2, { clean: false });
      await first.cut();
      const publisher = await stage.connect('publisher');
      await publisher.publish('a', 'unkept');
      await publisher.quiet();
      const again = await stage.connect('subscriber', { clean: false });
      return again.heard();
    },
  },
];
