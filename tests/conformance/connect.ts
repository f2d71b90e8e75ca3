// CONNECT and CONNACK: 3.1 and 3.2.
import { waitUntil } from '../support/wait-until.ts';
import { AT_RELEASE, type Behaviour } from './behaviour.ts';
import { connect, packet, pubrel, publish, subscribe, text, u16 } from '../support/mqtt-bytes.ts';

/** Mosquitto looks every few seconds. */
const KEEPALIVE_PATIENCE_MS = 20_000;

const WILL = { topic: 'will', payload: 'gone' };

const acceptance: readonly Behaviour[] = [
  {
    clause: 'MQTT-3.1.4-4',
    title: 'a CONNECT is answered with CONNACK 0',
    expected: 'CONNACK 0',
    play: async (stage) => {
      const client = await stage.open();
      client.send(connect());
      return client.heard(1);
    },
  },
  {
    clause: 'MQTT-3.1.0-1',
    title: 'a first packet that is not CONNECT ends the connection',
    expected: 'closed',
    play: (stage) => stage.ending(publish('a', 'x')),
  },
  {
    clause: 'MQTT-3.1.0-1',
    title: 'a PINGREQ before CONNECT ends the connection',
    expected: 'closed',
    play: (stage) => stage.ending(packet(0xc0)),
  },
  {
    clause: 'MQTT-3.1.0-2',
    title: 'a second CONNECT ends the connection',
    expected: 'closed',
    play: async (stage) => {
      const client = await stage.connect('client');
      client.send(connect());
      return client.heard();
    },
  },
  {
    clause: 'MQTT-3.1.0-2',
    title: 'a second CONNECT in the same segment as the first ends the connection',
    expected: 'closed',
    play: async (stage) => {
      const seen = await stage.ending(connect(), connect());
      return seen.replace('CONNACK 0, ', '');
    },
  },
  {
    clause: 'MQTT-3.1.2-1',
    title: 'another protocol name ends the connection',
    expected: 'closed',
    play: (stage) => stage.ending(connect({ protocol: 'HTTP' })),
  },
  {
    clause: 'MQTT-3.1.2-2',
    title: 'a protocol level that is not supported is answered with CONNACK 1, and the connection ends',
    expected: 'CONNACK 1, closed',
    play: (stage) => stage.ending(connect({ level: 6 })),
  },
  {
    clause: 'MQTT-3.1.2-2',
    title: 'protocol level 0 is answered with CONNACK 1, and the connection ends',
    expected: 'CONNACK 1, closed',
    play: (stage) => stage.ending(connect({ level: 0 })),
  },
  {
    clause: 'MQTT-3.1.2-2',
    title: 'a client of MQTT 5 is told with CONNACK 1 to try an older level',
    expected: 'CONNACK 1, closed',
    mosquitto: { seen: 'CONNACK 0 in the form of MQTT 5', why: 'Mosquitto speaks MQTT 5.' },
    play: async (stage) => {
      const client = await stage.open();
      client.send(packet(0x10, text('MQTT'), Buffer.of(5, 2), u16(0), Buffer.of(0), text('client')));
      const connack = await client.take('CONNACK');
      if (connack.body.length > 2) return `CONNACK ${connack.body[1] ?? ''} in the form of MQTT 5`;
      return `CONNACK ${connack.body[1] ?? ''}, ${await client.ending()}`;
    },
  },
  {
    clause: 'MQTT-3.1.2-3',
    title: 'the reserved connect flag ends the connection',
    expected: 'closed',
    play: (stage) => stage.ending(connect({ flags: 0x03 })),
  },
  {
    clause: 'MQTT-3.1.4-1',
    title: 'a CONNECT that ends in the middle of its client id ends the connection',
    expected: 'closed',
    play: (stage) => stage.ending(packet(0x10, text('MQTT'), Buffer.of(4, 2), u16(0), u16(9), Buffer.from('cli'))),
  },
  {
    clause: 'MQTT-3.1.4-1',
    title: 'a CONNECT with bytes behind its last field ends the connection',
    expected: 'closed',
    play: (stage) => stage.ending(packet(0x10, text('MQTT'), Buffer.of(4, 2), u16(0), text('client'), text('more'))),
  },
  {
    clause: 'MQTT-3.2.0-1',
    title: 'CONNACK comes before the messages of a resumed session',
    expected: 'CONNACK 0 session present, PUBLISH a kept QoS 1 #1',
    play: async (stage) => {
      const first = await stage.subscriber('a', 1, { clean: false });
      await first.cut();
      const publisher = await stage.connect('publisher');
      await publisher.publish('a', 'kept', { qos: 1 });
      const again = await stage.open('subscriber');
      again.send(connect({ id: 'subscriber', clean: false }));
      return again.heard(2);
    },
  },
  {
    clause: 'MQTT-3.1.4-5',
    title: 'a client may go on before it has its CONNACK',
    expected: 'CONNACK 0, SUBACK 7 [1], PUBACK 8, PUBLISH a x QoS 1 #1',
    play: async (stage) => {
      const client = await stage.open();
      client.send(connect(), subscribe(7, ['a', 1]), publish('a', 'x', { qos: 1, id: 8 }));
      const heard = await client.heard(4);
      // In which order acknowledgements and deliveries come is free (3.8.4).
      return ['CONNACK', 'SUBACK', 'PUBACK', 'PUBLISH']
        .flatMap((type) => heard.split(', ').filter((one) => one.startsWith(type)))
        .join(', ');
    },
  },
  {
    clause: 'MQTT-3.1.4-5',
    title: 'three hundred publications in the segment of the CONNECT are all acknowledged',
    expected: '300 acknowledged',
    play: async (stage) => {
      const client = await stage.open();
      const many = Array.from({ length: 300 }, (_, at) => publish('a', 'x', { qos: 1, id: at + 1 }));
      client.send(connect(), ...many);
      const heard = await client.heard(301);
      return `${heard.split('PUBACK').length - 1} acknowledged${client.isClosed ? ', closed' : ''}`;
    },
  },
  {
    clause: 'MQTT-3.1.4-5',
    title: 'what follows a CONNECT that is refused is not processed',
    expected: 'nothing',
    play: async (stage) => {
      const subscriber = await stage.subscriber('a');
      await stage.ending(connect({ level: 9 }), publish('a', 'smuggled'));
      const publisher = await stage.connect('publisher');
      await publisher.publish('a', 'end');
      return subscriber.untilEnd();
    },
  },
];

const identifiers: readonly Behaviour[] = [
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

const flags: readonly Behaviour[] = [
  {
    clause: 'MQTT-3.1.2-11',
    title: 'will QoS without the will flag ends the connection',
    expected: 'closed',
    play: (stage) => stage.ending(connect({ flags: 0x0a })),
  },
  {
    clause: 'MQTT-3.1.2-15',
    title: 'will retain without the will flag ends the connection',
    expected: 'closed',
    play: (stage) => stage.ending(connect({ flags: 0x22 })),
  },
  {
    clause: 'MQTT-3.1.2-14',
    title: 'will QoS 3 ends the connection',
    expected: 'closed',
    play: (stage) => stage.ending(connect({ will: { ...WILL, qos: 3 } })),
  },
  {
    clause: 'MQTT-3.1.2-9',
    title: 'a will flag without will topic and message ends the connection',
    expected: 'closed',
    play: (stage) => stage.ending(connect({ flags: 0x06 })),
  },
  {
    clause: 'MQTT-3.1.3-10',
    title: 'a will topic that is not UTF-8 ends the connection',
    expected: 'closed',
    play: (stage) => stage.ending(connect({ will: { topic: Buffer.of(0x61, 0xc3, 0x28) } })),
  },
  {
    clause: 'MQTT-3.3.2-2',
    title: 'a will topic with a wildcard ends the connection',
    expected: 'closed',
    play: (stage) => stage.ending(connect({ will: { topic: 'a/#', payload: 'x' } })),
  },
  {
    clause: 'MQTT-4.7.3-1',
    title: 'an empty will topic ends the connection',
    expected: 'closed',
    play: (stage) => stage.ending(connect({ will: { topic: '', payload: 'x' } })),
  },
  {
    clause: 'MQTT-3.1.2-22',
    title: 'a password without a user name ends the connection',
    expected: 'closed',
    play: (stage) => stage.ending(connect({ flags: 0x42, password: 'secret' })),
  },
  {
    clause: 'MQTT-3.1.2-19',
    title: 'a user name flag without a user name ends the connection',
    expected: 'closed',
    play: (stage) => stage.ending(connect({ flags: 0x82 })),
  },
  {
    clause: 'MQTT-3.1.2-21',
    title: 'a password flag without a password ends the connection',
    expected: 'closed',
    play: (stage) => stage.ending(connect({ flags: 0xc2, username: 'user' })),
  },
  {
    clause: 'MQTT-3.1.3-11',
    title: 'a user name that is not UTF-8 ends the connection',
    expected: 'closed',
    play: (stage) => stage.ending(connect({ username: Buffer.of(0xed, 0xa0, 0x80), password: 'x' })),
  },
  {
    clause: '3.1.3.4',
    title: 'user name alone, both, and a password of any bytes are accepted where anonymous clients are',
    expected: 'CONNACK 0 / CONNACK 0 / CONNACK 0',
    play: async (stage) => {
      const heard: string[] = [];
      for (const fields of [{}, { password: 'x' }, { password: Buffer.of(0, 0xff) }]) {
        const client = await stage.open();
        client.send(connect({ username: 'user', ...fields }));
        heard.push(await client.heard(1));
      }
      return heard.join(' / ');
    },
  },
];

const sessions: readonly Behaviour[] = [
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

const keepalive: readonly Behaviour[] = [
  {
    clause: 'MQTT-3.1.2-24',
    title: 'a client that is silent for one and a half times its keep alive is disconnected, not before',
    expected: 'closed, not before its time',
    play: async (stage) => {
      const begun = performance.now();
      const client = await stage.connect('client', { keepalive: 1 });
      const heard = await client.ending(KEEPALIVE_PATIENCE_MS);
      return `${heard}, ${performance.now() - begun < 1500 ? 'before' : 'not before'} its time`;
    },
  },
  {
    clause: '3.1.2.10',
    title: 'a keep alive of 0 is none',
    expected: 'nothing',
    play: async (stage) => {
      const patient = await stage.connect('patient', { keepalive: 0 });
      const other = await stage.connect('other', { keepalive: 1 });
      await other.ending(KEEPALIVE_PATIENCE_MS);
      return patient.heard();
    },
  },
  {
    clause: 'MQTT-3.1.2-24',
    title: 'whoever sends PINGREQ or anything else in time stays',
    expected: 'nothing / nothing',
    play: async (stage) => {
      const pinging = await stage.connect('pinging', { keepalive: 2 });
      const talking = await stage.connect('talking', { keepalive: 2 });
      const silent = await stage.connect('silent', { keepalive: 2 });
      const isCut = async (): Promise<boolean> => {
        await pinging.quiet();
        talking.send(publish('a', 'x'));
        return silent.isClosed;
      };
      await waitUntil('the silent one to be cut', isCut, KEEPALIVE_PATIENCE_MS);
      return `${await pinging.heard()} / ${await talking.heard()}`;
    },
  },
];

export const CONNECT_BEHAVIOURS = [...acceptance, ...identifiers, ...flags, ...sessions, ...keepalive];
