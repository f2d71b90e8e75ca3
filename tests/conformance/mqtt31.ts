// Clients of MQTT 3.1, which `docs/reference/topics.md` promises to serve: protocol name MQIsdp, level 3.
import type { Behaviour } from './behaviour.ts';
import { connect, packet, publish, subscribe, text, u16 } from '../support/mqtt-bytes.ts';

const OLD = { protocol: 'MQIsdp', level: 3 };

export const MQTT31_BEHAVIOURS: readonly Behaviour[] = [
  {
    clause: 'MQTT 3.1',
    title: 'a client of MQTT 3.1 is served',
    expected: 'CONNACK 0, SUBACK 5 [1], PUBACK 6, PUBLISH a x QoS 1 #1',
    play: async (stage) => {
      const client = await stage.open();
      client.send(connect(OLD));
      const connack = await client.heard(1);
      client.send(subscribe(5, ['a', 1]));
      const suback = await client.heard(1);
      client.send(publish('a', 'x', { qos: 1, id: 6 }));
      const heard = (await client.heard(2))
        .split(', ')
        .sort((a, b) => Number(b.startsWith('PUBACK')) - Number(a.startsWith('PUBACK')));
      return [connack, suback, ...heard].join(', ');
    },
  },
  {
    clause: 'MQTT 3.1',
    title: 'a session of MQTT 3.1 is resumed, and its CONNACK has no session present',
    expected: 'CONNACK 0, PUBLISH a kept QoS 1 #1',
    ours: {
      seen: 'CONNACK 0 session present, PUBLISH a kept QoS 1 #1',
      why: 'MQTT 3.1 reserves the byte and its clients do not look at it; Aedes fills it as for the others.',
    },
    play: async (stage) => {
      const first = await stage.connect('client', { ...OLD, clean: false });
      await first.subscribe('a', 1);
      await first.cut();
      const publisher = await stage.connect('publisher');
      await publisher.publish('a', 'kept', { qos: 1 });
      const again = await stage.open();
      again.send(connect({ ...OLD, clean: false }));
      return again.heard(2);
    },
  },
  {
    clause: 'MQTT 3.1',
    title: 'a will of a client of MQTT 3.1 is published',
    expected: 'PUBLISH will gone QoS 0',
    play: async (stage) => {
      const subscriber = await stage.subscriber('will');
      const client = await stage.connect('client', { ...OLD, will: { topic: 'will', payload: 'gone' } });
      await client.cut();
      return subscriber.heard(1);
    },
  },
  {
    clause: 'MQTT 3.1',
    title: 'a client id of more than 23 characters is refused with CONNACK 2',
    expected: 'CONNACK 2, closed',
    mosquitto: {
      seen: 'CONNACK 0',
      why: 'Mosquitto takes longer ones also from clients of MQTT 3.1, whose specification has 23 at most.',
    },
    play: async (stage) => {
      const client = await stage.open();
      client.send(connect({ ...OLD, id: 'x'.repeat(24) }));
      const answer = await client.heard(1);
      return answer === 'CONNACK 2' ? `CONNACK 2, ${await client.ending()}` : answer;
    },
  },
  {
    clause: 'MQTT 3.1',
    title: 'an empty client id is refused with CONNACK 2',
    expected: 'CONNACK 2, closed',
    play: (stage) => stage.ending(connect({ ...OLD, id: '' })),
  },
  {
    clause: 'MQTT-3.1.2-2',
    title: 'the new protocol name with the old level is refused with CONNACK 1',
    expected: 'CONNACK 1, closed',
    play: (stage) => stage.ending(connect({ level: 3 })),
  },
  {
    clause: 'MQTT-3.1.2-2',
    title: 'the old protocol name with the new level is refused with CONNACK 1',
    expected: 'CONNACK 1, closed',
    play: (stage) => stage.ending(packet(0x10, text('MQIsdp'), Buffer.of(4, 2), u16(0), text('client'))),
  },
];
