// Fixed headers and their lengths, PINGREQ and DISCONNECT: 2.2, 3.12 to 3.14, 4.8.
import { LENIENT, type Behaviour } from './behaviour.ts';
import { connect, DISCONNECT, packet, PINGREQ, publish, subscribe, text, u16 } from '../support/mqtt-bytes.ts';

const FOR_BRIDGES =
  'Mosquitto also is a client, of brokers that it bridges to, and passes over what it does not wait for.';

const ofType = (type: number): Behaviour => ({
  clause: 'MQTT-4.8.0-1',
  title: `a packet of type ${type}, which clients do not send, ends the connection`,
  expected: 'closed',
  ...([9, 11, 13].includes(type) ? { mosquitto: { seen: 'nothing', why: FOR_BRIDGES } } : {}),
  play: async (stage) => {
    const client = await stage.connect('client');
    client.send(packet(type << 4, ...(type === 15 || type === 0 ? [] : [u16(1), Buffer.of(0)])));
    return client.heard();
  },
});

export const FRAMING_BEHAVIOURS: readonly Behaviour[] = [
  {
    clause: '2.2.3',
    title: 'a remaining length of five bytes ends the connection',
    expected: 'closed',
    play: async (stage) => {
      const client = await stage.connect('client');
      client.send(Buffer.of(0x30, 0x80, 0x80, 0x80, 0x80, 0x01));
      return client.ending();
    },
  },
  {
    clause: '2.2.3',
    title: 'a remaining length of two and of three bytes is read',
    expected: 'PUBLISH a (127 bytes) QoS 0, PUBLISH a (128 bytes) QoS 0, PUBLISH a (20000 bytes) QoS 0',
    play: async (stage) => {
      const client = await stage.subscriber('a');
      client.send(...[127, 128, 20_000].map((length) => publish('a', 'x'.repeat(length))));
      return client.heard(3);
    },
  },
  {
    clause: '2.2.3',
    title: 'a remaining length in more bytes than it needs is read',
    expected: 'PINGRESP',
    play: async (stage) => {
      const client = await stage.connect('client');
      client.send(Buffer.of(0xc0, 0x80, 0x00));
      const { type } = await client.take('PINGRESP');
      return type;
    },
  },
  {
    clause: '2.2.3',
    title: 'a packet of two megabytes, over the limit of a broker, ends the connection',
    expected: 'closed',
    mosquitto: { seen: 'PUBACK 9', why: 'Our limit for a packet is 1 MiB; Mosquitto has none unless it is given one.' },
    play: async (stage) => {
      const client = await stage.connect('client');
      client.send(publish('a', Buffer.alloc(2_000_000), { qos: 1, id: 9 }));
      return client.heard(1);
    },
  },
  {
    clause: '4.2',
    title: 'packets are read also when every byte comes alone',
    expected: 'CONNACK 0, SUBACK 5 [1], PUBACK 6, PUBLISH a/b x QoS 1 #1',
    play: async (stage) => {
      const client = await stage.open();
      const bytes = Buffer.concat([connect(), subscribe(5, ['a/b', 1]), publish('a/b', 'x', { qos: 1, id: 6 })]);
      for (const byte of bytes) {
        client.send(Buffer.of(byte));
        await new Promise(setImmediate);
      }
      const heard = (await client.heard(4)).split(', ');
      return ['CONNACK', 'SUBACK', 'PUBACK', 'PUBLISH']
        .flatMap((type) => heard.filter((one) => one.startsWith(type)))
        .join(', ');
    },
  },
  {
    clause: '4.2',
    title: 'a hundred packets in one segment are all answered',
    expected: '100 PINGRESP',
    play: async (stage) => {
      const client = await stage.connect('client');
      client.send(...Array.from({ length: 100 }, () => PINGREQ));
      for (let n = 0; n < 100; n += 1) await client.take('PINGRESP');
      return `100 PINGRESP`;
    },
  },
  {
    clause: 'MQTT-3.12.4-1',
    title: 'PINGREQ is answered with PINGRESP',
    expected: 'PINGRESP',
    play: async (stage) => {
      const client = await stage.connect('client');
      client.send(PINGREQ);
      return (await client.take('PINGRESP')).type;
    },
  },
  {
    clause: 'MQTT-2.2.2-2',
    title: 'a PINGREQ with reserved bits ends the connection',
    expected: 'closed',
    mosquitto: { seen: 'nothing', why: LENIENT },
    play: async (stage) => {
      const client = await stage.connect('client');
      client.send(packet(0xc1));
      return client.heard();
    },
  },
  {
    clause: 'MQTT-4.8.0-1',
    title: 'a PINGREQ with a body ends the connection',
    expected: 'closed',
    mosquitto: { seen: 'PINGRESP, PINGRESP', why: LENIENT },
    play: async (stage) => {
      const client = await stage.connect('client');
      // With one behind it that is right: who passes over the fault answers both, in whatever pieces the answers come.
      client.send(packet(0xc0, u16(1)), PINGREQ);
      return client.packets(2);
    },
  },
  {
    clause: 'MQTT-3.14.4-2',
    title: 'after DISCONNECT the broker closes what its client leaves open',
    expected: 'closed',
    play: async (stage) => {
      const client = await stage.connect('client');
      client.send(DISCONNECT);
      return client.ending();
    },
  },
  {
    clause: 'MQTT-3.14.4-2',
    title: 'what comes behind DISCONNECT is not processed',
    expected: 'nothing',
    play: async (stage) => {
      const subscriber = await stage.subscriber('a', 1);
      const client = await stage.connect('client');
      client.send(DISCONNECT, publish('a', 'late', { qos: 0 }));
      await client.ending();
      const publisher = await stage.connect('publisher');
      await publisher.publish('a', 'end', { qos: 1 });
      return subscriber.untilEnd();
    },
  },
  {
    clause: 'MQTT-3.14.1-1',
    title: 'a DISCONNECT with reserved bits ends the connection',
    expected: 'closed',
    play: async (stage) => {
      const client = await stage.connect('client');
      client.send(packet(0xe2));
      return client.ending();
    },
  },
  {
    clause: 'MQTT-2.2.2-1',
    title: 'a CONNECT with reserved bits in its fixed header ends the connection',
    expected: 'closed',
    play: (stage) => stage.ending(Buffer.concat([Buffer.of(0x11), connect().subarray(1)])),
  },
  ...[0, 2, 9, 11, 13, 15].map(ofType),
  {
    clause: 'MQTT-4.8.0-1',
    title: 'a PUBLISH whose topic is longer than the packet ends the connection',
    expected: 'closed',
    play: async (stage) => {
      const client = await stage.connect('client');
      client.send(packet(0x30, u16(50), Buffer.from('a')), publish('b', 'x'.repeat(60)));
      return client.heard();
    },
  },
  {
    clause: 'MQTT-4.8.0-1',
    title: 'a PUBLISH with nothing in it ends the connection',
    expected: 'closed',
    play: async (stage) => {
      const client = await stage.connect('client');
      client.send(packet(0x30));
      return client.heard();
    },
  },
  {
    clause: 'MQTT-4.8.0-2',
    title: 'a protocol error of one client leaves the others connected',
    expected: 'closed / nothing',
    play: async (stage) => {
      const other = await stage.connect('other');
      const client = await stage.connect('client');
      client.send(packet(0xf0, text('noise')));
      return `${await client.ending()} / ${await other.heard()}`;
    },
  },
];
