// PUBLISH packets and acknowledgements that nobody may send, or that nobody waits for (3.3 to 3.7).
import { packet, puback, pubcomp, publish, text, u16 } from '../support/mqtt-bytes.ts';
import { LENIENT, type Behaviour } from './behaviour.ts';

const MAX = 65_535;

export const PUBLISH_FAULTS: readonly Behaviour[] = [
  {
    clause: 'MQTT-3.3.1-4',
    title: 'QoS 3 ends the connection',
    expected: 'closed',
    play: async (stage) => {
      const client = await stage.connect('client');
      client.send(packet(0x36, text('a'), u16(1), Buffer.from('x')));
      return client.heard();
    },
  },
  {
    clause: 'MQTT-3.3.1-2',
    title: 'DUP at QoS 0 ends the connection',
    expected: 'closed',
    mosquitto: { seen: 'nothing', why: LENIENT },
    play: async (stage) => {
      const client = await stage.connect('client');
      client.send(publish('a', 'x', { dup: true }));
      return client.heard();
    },
  },
  {
    clause: 'MQTT-2.3.1-1',
    title: 'packet id 0 in a PUBLISH ends the connection',
    expected: 'closed',
    play: async (stage) => {
      const client = await stage.connect('client');
      client.send(publish('a', 'x', { qos: 1, id: 0 }));
      return client.heard();
    },
  },
  {
    clause: 'MQTT-2.3.1-1',
    title: 'packet id 65535 is as good as any',
    expected: `PUBACK ${MAX}`,
    play: async (stage) => {
      const client = await stage.connect('client');
      client.send(publish('a', 'x', { qos: 1, id: MAX }));
      return client.heard(1);
    },
  },
  {
    clause: 'MQTT-4.8.0-1',
    title: 'a PUBLISH at QoS 1 that ends before its packet id ends the connection',
    expected: 'closed',
    play: async (stage) => {
      const client = await stage.connect('client');
      // The next packet has bytes that could be taken for it.
      client.send(packet(0x32, text('a')), publish('b', 'x', { qos: 1, id: 9 }));
      return client.heard();
    },
  },
  {
    clause: 'MQTT-4.8.0-1',
    title: 'a PUBACK without a packet id ends the connection',
    expected: 'closed',
    play: async (stage) => {
      const client = await stage.connect('client');
      client.send(packet(0x40));
      return client.heard();
    },
  },
  {
    clause: 'MQTT-4.8.0-1',
    title: 'a PUBACK with bytes behind its packet id ends the connection',
    expected: 'closed',
    mosquitto: { seen: 'nothing', why: LENIENT },
    play: async (stage) => {
      const client = await stage.connect('client');
      client.send(packet(0x40, u16(5), u16(6)));
      return client.heard();
    },
  },
  {
    clause: 'MQTT-3.6.1-1',
    title: 'a PUBREL without its reserved bits ends the connection',
    expected: 'closed',
    play: async (stage) => {
      const client = await stage.connect('client');
      client.send(packet(0x60, u16(5)));
      return client.heard();
    },
  },
  {
    clause: 'MQTT-2.2.2-2',
    title: 'a PUBACK with reserved bits ends the connection',
    expected: 'closed',
    mosquitto: { seen: 'nothing', why: LENIENT },
    play: async (stage) => {
      const client = await stage.connect('client');
      client.send(packet(0x43, u16(5)));
      return client.heard();
    },
  },
  {
    clause: '4.3.2',
    title: 'a PUBACK for a packet id that nobody knows is passed over',
    expected: 'nothing',
    play: async (stage) => {
      const client = await stage.connect('client');
      client.send(puback(77), pubcomp(78));
      return client.heard();
    },
  },
  {
    clause: 'MQTT-3.3.2-2',
    title: 'a wildcard in the topic of a PUBLISH ends the connection',
    expected: 'closed / closed / closed',
    play: async (stage) => {
      const seen: string[] = [];
      for (const topic of ['a/#', 'a/+/b', 'a+']) {
        const client = await stage.connect('client');
        client.send(publish(topic, 'x'));
        seen.push(await client.heard());
      }
      return seen.join(' / ');
    },
  },
];
