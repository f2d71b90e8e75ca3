// Retained messages: 3.3.1.3.
import type { Behaviour, Stage } from './behaviour.ts';
import type { Qos } from '../support/mqtt-bytes.ts';

/** What a client hears that subscribes now. */
async function found(stage: Stage, filter: string, qos: Qos = 0, atLeast = 1): Promise<string> {
  const later = await stage.connect(`later ${filter}`);
  await later.subscribe(filter, qos);
  const heard = await later.heard(atLeast);
  await later.cut();
  return heard;
}

export const RETAINED_BEHAVIOURS: readonly Behaviour[] = [
  {
    clause: 'MQTT-3.3.1-8',
    title: 'a retained message is sent to a new subscriber with its retain flag',
    expected: 'PUBLISH a kept QoS 0 retain',
    play: async (stage) => {
      const publisher = await stage.connect('publisher');
      await publisher.publish('a', 'kept', { qos: 1, retain: true });
      return found(stage, 'a');
    },
  },
  {
    clause: 'MQTT-3.3.1-9',
    title: 'who is subscribed already gets it without the retain flag',
    expected: 'PUBLISH a kept QoS 0',
    play: async (stage) => {
      const subscriber = await stage.subscriber('a');
      const publisher = await stage.connect('publisher');
      await publisher.publish('a', 'kept', { retain: true });
      return subscriber.heard(1);
    },
  },
  {
    clause: 'MQTT-3.3.1-9',
    title: 'a session that is subscribed and away gets it without the retain flag',
    expected: 'PUBLISH a kept QoS 1 #1',
    play: async (stage) => {
      const subscriber = await stage.subscriber('a', 1, { clean: false });
      await subscriber.cut();
      const publisher = await stage.connect('publisher');
      await publisher.publish('a', 'kept', { qos: 1, retain: true });
      const again = await stage.connect('subscriber', { clean: false });
      return again.heard(1);
    },
  },
  {
    clause: 'MQTT-3.3.1-5',
    title: 'a newer retained message takes the place of the one before, also at QoS 0',
    expected: 'PUBLISH a new QoS 0 retain',
    play: async (stage) => {
      const publisher = await stage.connect('publisher');
      await publisher.publish('a', 'old', { qos: 1, retain: true });
      await publisher.publish('a', 'new', { retain: true });
      await publisher.quiet();
      return found(stage, 'a', 1);
    },
  },
  {
    clause: 'MQTT-3.3.1-10',
    title: 'an empty retained message clears the topic, and is sent to who is subscribed',
    expected: 'PUBLISH a QoS 0 / nothing',
    play: async (stage) => {
      const publisher = await stage.connect('publisher');
      await publisher.publish('a', 'kept', { qos: 1, retain: true });
      const subscriber = await stage.subscriber('a');
      await subscriber.take('PUBLISH');
      await publisher.publish('a', '', { qos: 1, retain: true });
      const live = await subscriber.heard(1);
      return `${live} / ${await found(stage, 'a', 0, 0)}`;
    },
  },
  {
    clause: 'MQTT-3.3.1-12',
    title: 'a message without the retain flag leaves the retained one as it is',
    expected: 'PUBLISH a kept QoS 0 retain',
    play: async (stage) => {
      const publisher = await stage.connect('publisher');
      await publisher.publish('a', 'kept', { qos: 1, retain: true });
      await publisher.publish('a', 'passing', { qos: 1 });
      await publisher.publish('a', '', { qos: 1 });
      return found(stage, 'a');
    },
  },
  ...([0, 1, 2] as const).map((granted): Behaviour => ({
    clause: 'MQTT-3.8.4-6',
    title: `retained messages are sent at the smaller QoS of theirs and QoS ${granted}, also to a wildcard`,
    expected: `${[0, 1, 2].map((qos) => Math.min(qos, granted)).join(', ')} / ${Math.min(2, granted)}`,
    play: async (stage) => {
      const publisher = await stage.connect('publisher');
      for (const qos of [0, 1, 2] as const) await publisher.publish(`a/${qos}`, 'kept', { qos, retain: true });
      await publisher.quiet();
      const later = await stage.connect('later');
      await later.subscribe('a/+', granted);
      const seen: [string, number][] = [];
      for (let n = 0; n < 3; n += 1) {
        const { topic, flags } = await later.take('PUBLISH');
        seen.push([topic, (flags >> 1) & 3]);
      }
      const exact = await stage.connect('exact');
      await exact.subscribe('a/2', granted);
      const { flags } = await exact.take('PUBLISH');
      return `${seen
        .sort()
        .map(([, qos]) => qos)
        .join(', ')} / ${(flags >> 1) & 3}`;
    },
  })),
  {
    clause: 'MQTT-3.3.1-6',
    title: 'a wildcard finds every retained message that it matches',
    expected: 'a, a/b, a/b/c',
    play: async (stage) => {
      const publisher = await stage.connect('publisher');
      for (const topic of ['a', 'a/b', 'a/b/c', 'b']) await publisher.publish(topic, 'kept', { qos: 1, retain: true });
      const later = await stage.connect('later');
      await later.subscribe('a/#', 0);
      const topics: string[] = [];
      for (let n = 0; n < 3; n += 1) topics.push((await later.take('PUBLISH')).topic);
      return `${topics.sort().join(', ')}${(await later.heard()) === 'nothing' ? '' : ' and more'}`;
    },
  },
  {
    clause: 'MQTT-4.7.2-1',
    title: 'a filter that begins with a wildcard finds no retained message under $',
    expected: 'nothing',
    play: async (stage) => {
      const publisher = await stage.connect('publisher');
      await publisher.publish('$hw/a', 'kept', { qos: 1, retain: true });
      const later = await stage.connect('later');
      await later.subscribe('+/a', 0);
      return later.heard();
    },
  },
  {
    clause: 'MQTT-3.3.1-7',
    title: 'a retained message survives the session of its publisher',
    expected: 'PUBLISH a kept QoS 0 retain',
    play: async (stage) => {
      const publisher = await stage.connect('publisher');
      await publisher.publish('a', 'kept', { qos: 1, retain: true });
      await publisher.cut();
      await (await stage.connect('publisher')).quiet();
      return found(stage, 'a');
    },
  },
];
