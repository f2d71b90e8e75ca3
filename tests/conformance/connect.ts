// CONNECT and CONNACK: 3.1 and 3.2.
import { connect, packet, publish, subscribe, text, u16 } from '../support/mqtt-bytes.ts';
import { waitUntil } from '../support/wait-until.ts';
import type { Behaviour } from './behaviour.ts';
import { IDENTIFIERS, SESSIONS, WILL } from './sessions.ts';

/** Mosquitto looks every few seconds. */
const KEEPALIVE_PATIENCE_MS = 20_000;

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

export const CONNECT_BEHAVIOURS = [...acceptance, ...IDENTIFIERS, ...flags, ...SESSIONS, ...keepalive];
