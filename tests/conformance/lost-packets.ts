// Each packet of the QoS 1 and QoS 2 flows is lost once, in each direction: the connection is cut where it was lost, and resumed
// (4.3 and 4.4).
import { connect, puback, pubcomp, pubrec, publish, pubrel, type Qos } from '../support/mqtt-bytes.ts';
import type { Behaviour, Stage } from './behaviour.ts';
import type { Wire } from './wire.ts';

/** A publisher that is to be resumed, and a subscriber that hears what comes of it. */
async function publisherAndSubscriber(stage: Stage): Promise<readonly [publisher: Wire, subscriber: Wire]> {
  const subscriber = await stage.subscriber('a', 2);
  return [await stage.connect('publisher', { clean: false }), subscriber];
}

/** The publisher of before, back. */
const resumed = (stage: Stage, id = 'publisher'): Promise<Wire> => stage.connect(id, { clean: false });

/** What the subscriber heard of the publication under test, once a last one has come through. */
export async function heardInAll(stage: Stage, subscriber: Wire): Promise<string> {
  const other = await stage.connect('other');
  await other.publish('a', 'end', { qos: 2, id: 99 });
  return subscriber.untilEnd();
}

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

export const LOST_PACKETS: readonly Behaviour[] = [...lostOnTheWayIn, ...lostOnTheWayOut, resumedByClean];
