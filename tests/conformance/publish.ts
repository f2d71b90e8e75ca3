// PUBLISH and its acknowledgements: 3.3 to 3.7, 4.3, 4.4 and 4.6. Each packet of the QoS 1 and QoS 2 flows is lost once, in each
// direction: the connection is cut where it was lost, and resumed.
import { LENIENT, type Behaviour, type Stage } from './behaviour.ts';
import {
  connect,
  packet,
  puback,
  pubcomp,
  pubrec,
  publish,
  pubrel,
  text,
  u16,
  type Qos,
} from '../support/mqtt-bytes.ts';
import type { Wire } from './wire.ts';

const MAX = 65_535;

/** A publisher that is to be resumed, and a subscriber that hears what comes of it. */
async function publisherAndSubscriber(stage: Stage): Promise<readonly [publisher: Wire, subscriber: Wire]> {
  const subscriber = await stage.subscriber('a', 2);
  return [await stage.connect('publisher', { clean: false }), subscriber];
}

/** The publisher of before, back. */
const resumed = (stage: Stage, id = 'publisher'): Promise<Wire> => stage.connect(id, { clean: false });

/** What the subscriber heard of the publication under test, once a last one has come through. */
async function heardInAll(stage: Stage, subscriber: Wire): Promise<string> {
  const other = await stage.connect('other');
  await other.publish('a', 'end', { qos: 2, id: 99 });
  return subscriber.untilEnd();
}

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

const lostOnTheWayIn: readonly Behaviour[] = [
  {
    clause: 'MQTT-4.4.0-1',
    title: 'QoS 1 in, PUBLISH lost: sent again with DUP, it is delivered once',
    expected: 'PUBACK 10 / PUBLISH a x QoS 1 #1',
    play: async (stage) => {
      const [publisher, subscriber] = await publisherAndSubscriber(stage);
      // All but the last byte.
      publisher.send(publish('a', 'x', { qos: 1, id: 10 }).subarray(0, -1));
      await publisher.cut();
      const again = await resumed(stage);
      again.send(publish('a', 'x', { qos: 1, id: 10, dup: true }));
      return `${await again.heard(1)} / ${await heardInAll(stage, subscriber)}`;
    },
  },
  {
    clause: 'MQTT-4.3.2-2',
    title: 'QoS 1 in, PUBACK lost: sent again with DUP, it is acknowledged and delivered again',
    expected: 'PUBACK 10 / PUBLISH a x QoS 1 #1, PUBLISH a x QoS 1 #2',
    play: async (stage) => {
      const [publisher, subscriber] = await publisherAndSubscriber(stage);
      publisher.send(publish('a', 'x', { qos: 1, id: 10 }));
      await publisher.take('PUBACK');
      await publisher.cut();
      const again = await resumed(stage);
      again.send(publish('a', 'x', { qos: 1, id: 10, dup: true }));
      return `${await again.heard(1)} / ${await heardInAll(stage, subscriber)}`;
    },
  },
  {
    clause: 'MQTT-4.3.3-2',
    title: 'QoS 2 in, PUBLISH lost: sent again with DUP, it is delivered once',
    expected: 'PUBREC 10, PUBCOMP 10 / PUBLISH a x QoS 2 #1',
    play: async (stage) => {
      const [publisher, subscriber] = await publisherAndSubscriber(stage);
      publisher.send(publish('a', 'x', { qos: 2, id: 10 }).subarray(0, -1));
      await publisher.cut();
      return secondAttempt(stage, subscriber);
    },
  },
  {
    clause: 'MQTT-4.3.3-2',
    title: 'QoS 2 in, PUBREC lost: PUBLISH sent again with DUP is acknowledged, and was delivered once',
    expected: 'PUBREC 10, PUBCOMP 10 / PUBLISH a x QoS 2 #1',
    play: async (stage) => {
      const [publisher, subscriber] = await publisherAndSubscriber(stage);
      publisher.send(publish('a', 'x', { qos: 2, id: 10 }));
      await publisher.take('PUBREC');
      await publisher.cut();
      return secondAttempt(stage, subscriber);
    },
  },
  {
    clause: 'MQTT-4.3.3-2',
    title: 'QoS 2 in, PUBREL lost: sent again, it is answered with PUBCOMP, and delivered was once',
    expected: 'PUBCOMP 10 / PUBLISH a x QoS 2 #1',
    play: async (stage) => {
      const [publisher, subscriber] = await publisherAndSubscriber(stage);
      publisher.send(publish('a', 'x', { qos: 2, id: 10 }));
      await publisher.take('PUBREC');
      publisher.send(pubrel(10).subarray(0, -1));
      await publisher.cut();
      return releasedAgain(stage, subscriber);
    },
  },
  {
    clause: 'MQTT-4.3.3-2',
    title: 'QoS 2 in, PUBCOMP lost: PUBREL sent again is answered with PUBCOMP, and delivered was once',
    expected: 'PUBCOMP 10 / PUBLISH a x QoS 2 #1',
    play: async (stage) => {
      const [publisher, subscriber] = await publisherAndSubscriber(stage);
      await publisher.publish('a', 'x', { qos: 2, id: 10 });
      await publisher.cut();
      return releasedAgain(stage, subscriber);
    },
  },
];

async function secondAttempt(stage: Stage, subscriber: Wire): Promise<string> {
  const again = await resumed(stage);
  again.send(publish('a', 'x', { qos: 2, id: 10, dup: true }));
  const first = await again.heard(1);
  again.send(pubrel(10));
  return `${first}, ${await again.heard(1)} / ${await heardInAll(stage, subscriber)}`;
}

async function releasedAgain(stage: Stage, subscriber: Wire): Promise<string> {
  const again = await resumed(stage);
  again.send(pubrel(10));
  return `${await again.heard(1)} / ${await heardInAll(stage, subscriber)}`;
}

/** A persistent subscriber, to whom one message was published, and the PUBLISH that it got. */
async function oneDelivered(stage: Stage, qos: Qos): Promise<readonly [subscriber: Wire, id: number]> {
  const subscriber = await stage.subscriber('a', qos, { clean: false });
  const publisher = await stage.connect('publisher');
  await publisher.publish('a', 'x', { qos, id: 5 });
  const { id } = await subscriber.take('PUBLISH');
  return [subscriber, id];
}

/** Two rounds of coming back: what is sent again, and that it is not after its end. */
async function resumedAndFinished(stage: Stage, finish: (client: Wire) => Promise<string>): Promise<string> {
  const again = await resumed(stage, 'subscriber');
  const seen = await finish(again);
  await again.quiet();
  await again.cut();
  const last = await resumed(stage, 'subscriber');
  return `${seen} / ${await last.heard()}`;
}

/** The packet id that a label stands for is known from the delivery before. */
const lostOnTheWayOut: readonly Behaviour[] = [
  {
    clause: 'MQTT-4.4.0-1',
    title: 'QoS 1 out, PUBLISH lost: sent again on return with DUP and the same packet id, until acknowledged',
    expected: 'PUBLISH a x QoS 1 dup, same id / nothing',
    play: async (stage) => {
      const [subscriber, id] = await oneDelivered(stage, 1);
      await subscriber.cut();
      return resumedAndFinished(stage, (again) => deliveredAgain(again, id));
    },
  },
  {
    clause: 'MQTT-4.4.0-1',
    title: 'QoS 1 out, PUBACK lost: sent again on return with DUP and the same packet id',
    expected: 'PUBLISH a x QoS 1 dup, same id / nothing',
    play: async (stage) => {
      const [subscriber, id] = await oneDelivered(stage, 1);
      subscriber.send(puback(id).subarray(0, -1));
      await subscriber.cut();
      return resumedAndFinished(stage, (again) => deliveredAgain(again, id));
    },
  },
  {
    clause: 'MQTT-4.3.3-1',
    title: 'QoS 2 out, PUBLISH lost: sent again on return with DUP and the same packet id, and released',
    expected: 'PUBLISH a x QoS 2 dup, same id, PUBREL same id / nothing',
    play: async (stage) => {
      const [subscriber, id] = await oneDelivered(stage, 2);
      await subscriber.cut();
      return resumedAndFinished(stage, (again) => deliveredAgain(again, id));
    },
  },
  {
    clause: 'MQTT-4.3.3-1',
    title: 'QoS 2 out, PUBREC lost: PUBLISH sent again on return with DUP and the same packet id',
    expected: 'PUBLISH a x QoS 2 dup, same id, PUBREL same id / nothing',
    play: async (stage) => {
      const [subscriber, id] = await oneDelivered(stage, 2);
      subscriber.send(pubrec(id).subarray(0, -1));
      await subscriber.cut();
      return resumedAndFinished(stage, (again) => deliveredAgain(again, id));
    },
  },
  {
    clause: 'MQTT-4.3.3-1',
    title: 'QoS 2 out, PUBREL lost: PUBREL, not PUBLISH, is sent again on return',
    expected: 'PUBREL same id / nothing',
    play: async (stage) => {
      const [subscriber, id] = await oneDelivered(stage, 2);
      subscriber.send(pubrec(id));
      await subscriber.take('PUBREL');
      await subscriber.cut();
      return resumedAndFinished(stage, (again) => onlyReleasedAgain(again, id));
    },
  },
  {
    clause: 'MQTT-4.3.3-1',
    title: 'QoS 2 out, PUBCOMP lost: PUBREL, not PUBLISH, is sent again on return',
    expected: 'PUBREL same id / nothing',
    play: async (stage) => {
      const [subscriber, id] = await oneDelivered(stage, 2);
      subscriber.send(pubrec(id));
      await subscriber.take('PUBREL');
      subscriber.send(pubcomp(id).subarray(0, -1));
      await subscriber.cut();
      return resumedAndFinished(stage, (again) => onlyReleasedAgain(again, id));
    },
  },
  {
    clause: 'MQTT-4.4.0-1',
    title: 'a retained message that was not acknowledged is sent again on return',
    expected: 'PUBLISH a x QoS 1 retain dup, same id / nothing',
    play: async (stage) => {
      const publisher = await stage.connect('publisher');
      await publisher.publish('a', 'x', { qos: 1, retain: true });
      const subscriber = await stage.subscriber('a', 1, { clean: false });
      const { id } = await subscriber.take('PUBLISH');
      await subscriber.cut();
      return resumedAndFinished(stage, (again) => deliveredAgain(again, id));
    },
  },
];

async function deliveredAgain(again: Wire, before: number): Promise<string> {
  const { id, flags, payload, topic } = await again.take('PUBLISH');
  const qos = (flags >> 1) & 3;
  const marks = `${(flags & 1) === 1 ? ' retain' : ''}${(flags & 8) === 8 ? ' dup' : ''}`;
  const seen = `PUBLISH ${topic} ${payload} QoS ${qos}${marks}, ${id === before ? 'same' : 'another'} id`;
  if (qos === 1) again.send(puback(id));
  if (qos !== 2) return seen;
  again.send(pubrec(id));
  const release = await again.take('PUBREL');
  again.send(pubcomp(id));
  return `${seen}, PUBREL ${release.id === id ? 'same' : 'another'} id`;
}

async function onlyReleasedAgain(again: Wire, before: number): Promise<string> {
  const { id } = await again.take('PUBREL');
  again.send(pubcomp(id));
  return `PUBREL ${id === before ? 'same' : 'another'} id`;
}

const faults: readonly Behaviour[] = [
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

const resumedByClean: Behaviour = {
  clause: 'MQTT-3.1.2-6',
  title: 'a clean session gets nothing of what was on its way to the one before',
  expected: 'CONNACK 0',
  play: async (stage) => {
    const [subscriber] = await oneDelivered(stage, 2);
    await subscriber.cut();
    const again = await stage.open('subscriber');
    again.send(connect({ id: 'subscriber' }));
    return again.heard(1);
  },
};

export const PUBLISH_BEHAVIOURS: readonly Behaviour[] = [
  ...flows,
  ...downgrades,
  ...lostOnTheWayIn,
  ...lostOnTheWayOut,
  resumedByClean,
  ...faults,
  reuse,
  dupIsOurs,
  ...order,
  resendOrder,
];
