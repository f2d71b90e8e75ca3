// PUBLISH and its acknowledgements: 3.3 to 3.7, 4.3, 4.4 and 4.6.
import { puback, pubcomp, pubrec, publish, pubrel, type Qos } from '../support/mqtt-bytes.ts';
import type { Behaviour } from './behaviour.ts';
import { heardInAll, LOST_PACKETS } from './lost-packets.ts';
import { PUBLISH_FAULTS } from './publish-faults.ts';

const flows: readonly Behaviour[] = [
  {
    clause: 'MQTT-4.3.1-1',
    title: 'QoS 0: PUBLISH, and no answer',
    expected: 'nothing / PUBLISH a x QoS 0',
    play: async (stage) => {
      const subscriber = await stage.subscriber('a');
      const client = await stage.connect('client');
      client.send(publish('a', 'x'));
      return `${await client.heard()} / ${await subscriber.heard(1)}`;
    },
  },
  {
    clause: 'MQTT-4.3.2-2',
    title: 'QoS 1: PUBLISH, PUBACK with its packet id',
    expected: 'PUBACK 10 / PUBLISH a x QoS 1 #1',
    play: async (stage) => {
      const subscriber = await stage.subscriber('a', 1);
      const client = await stage.connect('client');
      client.send(publish('a', 'x', { qos: 1, id: 10 }));
      return `${await client.heard(1)} / ${await subscriber.heard(1)}`;
    },
  },
  {
    clause: 'MQTT-4.3.3-2',
    title: 'QoS 2: PUBLISH, PUBREC, PUBREL, PUBCOMP, all with its packet id',
    expected: 'PUBREC 10, PUBCOMP 10',
    play: async (stage) => {
      const client = await stage.connect('client');
      client.send(publish('a', 'x', { qos: 2, id: 10 }));
      const first = await client.heard(1);
      client.send(pubrel(10));
      return `${first}, ${await client.heard(1)}`;
    },
  },
  {
    clause: 'MQTT-4.3.3-1',
    title: 'QoS 2 to a subscriber: PUBLISH, PUBREL after its PUBREC, and an end after its PUBCOMP',
    expected: 'PUBLISH a x QoS 2 #1, PUBREL #1, nothing',
    play: async (stage) => {
      const subscriber = await stage.subscriber('a', 2);
      const client = await stage.connect('client');
      await client.publish('a', 'x', { qos: 2, id: 10 });
      const { id, payload } = await subscriber.take('PUBLISH');
      subscriber.send(pubrec(id));
      const release = await subscriber.heard(1);
      subscriber.send(pubcomp(id));
      return `PUBLISH a ${payload} QoS 2 #1, ${release}, ${await subscriber.heard()}`;
    },
  },
  {
    clause: 'MQTT-4.3.3-2',
    title: 'a QoS 2 publication that is repeated before its PUBREL is acknowledged again and delivered once',
    expected: 'PUBREC 10, PUBREC 10 / PUBLISH a x QoS 2 #1',
    play: async (stage) => {
      const subscriber = await stage.subscriber('a', 2);
      const client = await stage.connect('client');
      client.send(publish('a', 'x', { qos: 2, id: 10 }));
      const first = await client.heard(1);
      client.send(publish('a', 'x', { qos: 2, id: 10, dup: true }));
      const second = await client.heard(1);
      client.send(pubrel(10));
      await client.take('PUBCOMP');
      return `${first}, ${second} / ${await heardInAll(stage, subscriber)}`;
    },
  },
  {
    clause: 'MQTT-4.3.3-2',
    title: 'after PUBCOMP the packet id may be used for another publication',
    expected: 'PUBLISH a one QoS 2 #1, PUBLISH a two QoS 2 #2',
    play: async (stage) => {
      const subscriber = await stage.subscriber('a', 2);
      const client = await stage.connect('client');
      await client.publish('a', 'one', { qos: 2, id: 10 });
      await client.publish('a', 'two', { qos: 2, id: 10 });
      return heardInAll(stage, subscriber);
    },
  },
  {
    clause: '4.3.3',
    title: 'a PUBREL for a packet id that nobody knows is answered with PUBCOMP',
    expected: 'PUBCOMP 77',
    play: async (stage) => {
      const client = await stage.connect('client');
      client.send(pubrel(77));
      return client.heard(1);
    },
  },
  {
    clause: 'MQTT-2.3.1-5',
    title: 'both sides may use the same packet id at the same time',
    expected: 'PUBACK / PUBLISH b theirs QoS 1, then nothing',
    play: async (stage) => {
      const client = await stage.subscriber('b', 1);
      const other = await stage.connect('other');
      await other.publish('b', 'theirs', { qos: 1, id: 1 });
      const { id, payload } = await client.take('PUBLISH');
      client.send(publish('a', 'ours', { qos: 1, id }));
      const ack = await client.take('PUBACK');
      client.send(puback(id));
      return `${ack.type} / PUBLISH b ${payload} QoS 1, then ${await client.heard()}`;
    },
  },
  {
    clause: 'MQTT-3.3.5-1',
    title: 'a publisher that subscribes to its own topic hears itself',
    expected: 'PUBLISH a x QoS 0',
    play: async (stage) => {
      const client = await stage.subscriber('a');
      client.send(publish('a', 'x'));
      return client.heard(1);
    },
  },
  {
    clause: '3.3.3',
    title: 'a payload may be empty, or of any bytes',
    expected: 'PUBLISH a QoS 0, then 256 bytes as they were',
    play: async (stage) => {
      const subscriber = await stage.subscriber('a');
      const client = await stage.connect('client');
      const bytes = Buffer.from(Array.from({ length: 256 }, (_, value) => value));
      client.send(publish('a', ''), publish('a', bytes));
      await subscriber.take('PUBLISH');
      const second = await subscriber.take('PUBLISH');
      return `PUBLISH a QoS 0, then ${second.body.subarray(3).equals(bytes) ? '256 bytes as they were' : 'other bytes'}`;
    },
  },
];

const downgrade = (granted: Qos, clean: boolean): Behaviour => ({
  clause: 'MQTT-3.8.4-6',
  title: `a ${clean ? 'subscriber' : 'session'} at QoS ${granted} gets each publication at the smaller QoS of both`,
  expected: [0, 1, 2].map((qos) => Math.min(qos, granted)).join(', '),
  play: async (stage) => {
    const subscriber = await stage.subscriber('+/b', granted, { clean });
    const client = await stage.connect('client');
    const seen: number[] = [];
    for (const qos of [0, 1, 2] as const) {
      await client.publish('a/b', 'x', { qos, id: qos + 1 });
      seen.push(((await subscriber.take('PUBLISH')).flags >> 1) & 3);
    }
    return seen.join(', ');
  },
});

const downgrades = ([0, 1, 2] as const).flatMap((granted) => [downgrade(granted, true), downgrade(granted, false)]);

const order: readonly Behaviour[] = ([0, 1, 2] as const).map((qos) => ({
  clause: 'MQTT-4.6.0-6',
  title: `fifteen publications at QoS ${qos} arrive in their order`,
  expected: Array.from({ length: 15 }, (_, at) => at + 1).join(' '),
  play: async (stage) => {
    const subscriber = await stage.subscriber('a/#', qos);
    const client = await stage.connect('client');
    const numbers = Array.from({ length: 15 }, (_, at) => at + 1);
    client.send(...numbers.map((n) => publish('a/b', `${n}`, { qos, id: n })));
    if (qos === 2)
      for (const n of numbers) {
        await client.take('PUBREC');
        client.send(pubrel(n));
      }
    const seen: string[] = [];
    while (seen.length < numbers.length) seen.push((await subscriber.take('PUBLISH')).payload);
    return seen.join(' ');
  },
}));

const resendOrder: Behaviour = {
  clause: 'MQTT-4.6.0-1',
  title: 'what is sent again on return comes in its order, before anything newer',
  expected: 'one dup, two dup, three dup, four',
  play: async (stage) => {
    const subscriber = await stage.subscriber('a', 1, { clean: false });
    const publisher = await stage.connect('publisher');
    for (const payload of ['one', 'two', 'three']) await publisher.publish('a', payload, { qos: 1 });
    for (let n = 0; n < 3; n += 1) await subscriber.take('PUBLISH');
    await subscriber.cut();
    await publisher.publish('a', 'four', { qos: 1 });
    const again = await stage.connect('subscriber', { clean: false });
    const seen: string[] = [];
    for (let n = 0; n < 4; n += 1) {
      const { payload, flags } = await again.take('PUBLISH');
      seen.push(`${payload}${(flags & 8) === 8 ? ' dup' : ''}`);
    }
    return seen.join(', ');
  },
};

const dupIsOurs: Behaviour = {
  clause: 'MQTT-3.3.1-3',
  title: 'the DUP flag of a publisher is not handed on to subscribers',
  expected: 'PUBLISH a x QoS 1 #1 / PUBLISH a x QoS 1 #2',
  play: async (stage) => {
    const live = await stage.subscriber('a', 1);
    const kept = await stage.connect('kept', { clean: false });
    await kept.subscribe('a', 1);
    await kept.cut();
    const client = await stage.connect('client');
    await client.publish('a', 'x', { qos: 1, dup: true });
    const first = await live.heard(1);
    const again = await stage.connect('kept', { clean: false });
    return `${first} / ${await again.heard(1)}`;
  },
};

const reuse: Behaviour = {
  clause: 'MQTT-2.3.1-2',
  title:
    'a client that uses the packet id of an unfinished QoS 2 publication for another one: the second is taken for the first',
  expected: 'PUBREC 10, PUBREC 10 / PUBLISH a one QoS 2 #1',
  mosquitto: {
    seen: 'PUBREC 10, PUBREC 10 / PUBLISH a two QoS 2 #1',
    why: 'The client breaks a rule; Mosquitto compares the contents, and the new ones take the place of the first, which it had not handed on.',
  },
  play: async (stage) => {
    const subscriber = await stage.subscriber('a', 2);
    const client = await stage.connect('client');
    client.send(publish('a', 'one', { qos: 2, id: 10 }));
    const first = await client.heard(1);
    client.send(publish('a', 'two', { qos: 2, id: 10 }));
    const second = await client.heard(1);
    client.send(pubrel(10));
    await client.take('PUBCOMP');
    return `${first}, ${second} / ${await heardInAll(stage, subscriber)}`;
  },
};

export const PUBLISH_BEHAVIOURS: readonly Behaviour[] = [
  ...flows,
  ...downgrades,
  ...LOST_PACKETS,
  ...PUBLISH_FAULTS,
  reuse,
  dupIsOurs,
  ...order,
  resendOrder,
];
