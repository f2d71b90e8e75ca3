// SUBSCRIBE, SUBACK, UNSUBSCRIBE and UNSUBACK: 3.8 to 3.11.
import type { Behaviour, Stage } from './behaviour.ts';
import { packet, subscribe, text, u16, unsubscribe, type Qos } from '../support/mqtt-bytes.ts';

/** What comes of bytes that a connected client sends. */
async function answerTo(stage: Stage, ...packets: readonly Uint8Array[]): Promise<string> {
  const client = await stage.connect('client');
  client.send(...packets);
  return client.heard();
}

async function answersTo(stage: Stage, ...cases: readonly Uint8Array[]): Promise<string> {
  const seen: string[] = [];
  for (const bytes of cases) seen.push(await answerTo(stage, bytes));
  return seen.join(' / ');
}

const subscribing: readonly Behaviour[] = [
  {
    clause: 'MQTT-3.8.4-2',
    title: 'SUBACK has the packet id of its SUBSCRIBE, and a code for each filter in their order',
    expected: 'SUBACK 513 [0 2 1]',
    play: async (stage) => {
      const client = await stage.connect('client');
      client.send(subscribe(513, ['a', 0], ['b/+', 2], ['c/#', 1]));
      return client.heard(1);
    },
  },
  {
    clause: 'MQTT-3.8.4-5',
    title: 'a filter that is named twice in a SUBSCRIBE has two codes in its SUBACK',
    expected: 'SUBACK 5 [0 1]',
    play: async (stage) => {
      const client = await stage.connect('client');
      client.send(subscribe(5, ['a', 0], ['a', 1]));
      return client.heard(1);
    },
  },
  {
    clause: 'MQTT-3.8.1-1',
    title: 'a SUBSCRIBE without its reserved bits ends the connection',
    expected: 'closed / closed',
    play: (stage) =>
      answersTo(stage, packet(0x80, u16(5), text('a'), Buffer.of(0)), packet(0x83, u16(5), text('a'), Buffer.of(0))),
  },
  {
    clause: 'MQTT-3.8.3-3',
    title: 'a SUBSCRIBE without a filter ends the connection',
    expected: 'closed',
    play: (stage) => answerTo(stage, packet(0x82, u16(5))),
  },
  {
    clause: 'MQTT-3.8.3-4',
    title: 'a requested QoS of 3, or with reserved bits, ends the connection',
    expected: 'closed / closed',
    play: (stage) => answersTo(stage, subscribe(5, ['a', 3]), subscribe(5, ['a', 0x41])),
  },
  {
    clause: 'MQTT-4.8.0-1',
    title: 'a SUBSCRIBE that ends before the QoS of its filter ends the connection',
    expected: 'closed',
    play: (stage) => answerTo(stage, packet(0x82, u16(5), text('a'))),
  },
  {
    clause: 'MQTT-2.3.1-1',
    title: 'packet id 0 in a SUBSCRIBE ends the connection',
    expected: 'closed',
    play: (stage) => answerTo(stage, subscribe(0, ['a', 0])),
  },
  {
    clause: 'MQTT-4.7.3-1',
    title: 'an empty filter ends the connection',
    expected: 'closed',
    play: (stage) => answerTo(stage, subscribe(5, ['', 0])),
  },
  {
    clause: 'MQTT-4.7.1-2',
    title: 'a # that is not a level of its own at the end makes a filter invalid, which ends the connection',
    expected: 'closed / closed / closed / closed / closed',
    play: (stage) =>
      answersTo(stage, ...['a#', 'a/#/b', '#/b', '##', 'a/b#'].map((filter) => subscribe(5, [filter, 0]))),
  },
  {
    clause: 'MQTT-4.7.1-3',
    title: 'a + that is not a level of its own makes a filter invalid, which ends the connection',
    expected: 'closed / closed / closed / closed / closed',
    play: (stage) => answersTo(stage, ...['a+', '+a', 'a+b', 'a/b+', '++'].map((filter) => subscribe(5, [filter, 0]))),
  },
  {
    clause: 'MQTT-4.7.1-2',
    title: 'every valid place of wildcards is accepted',
    expected: 'SUBACK 5 [0 0 0 0 0 0 0 0]',
    play: (stage) =>
      answerTo(
        stage,
        subscribe(5, ['#', 0], ['+', 0], ['+/#', 0], ['/#', 0], ['/+', 0], ['a/+/b', 0], ['+/+', 0], ['+/a/#', 0]),
      ),
  },
  {
    clause: 'MQTT-3.8.4-3',
    title:
      'a second subscription to the same filter takes the place of the first, and finds the retained message again',
    expected: 'PUBLISH a kept QoS 0 retain, PUBLISH a kept QoS 1 retain #1, PUBLISH a x QoS 1 #2',
    play: async (stage) => {
      const publisher = await stage.connect('publisher');
      await publisher.publish('a', 'kept', { qos: 1, retain: true });
      const client = await stage.subscriber('a', 0);
      const first = await client.heard(1);
      await client.subscribe('a', 1);
      const second = await client.heard(1);
      await publisher.publish('a', 'x', { qos: 1 });
      return `${first}, ${second.replace('#1 retain', 'retain #1')}, ${await client.heard(1)}`;
    },
  },
  {
    clause: 'MQTT-3.8.4-3',
    title: 'a second subscription to the same filter at the same QoS delivers once',
    expected: 'PUBLISH a x QoS 1 #1',
    play: async (stage) => {
      const client = await stage.subscriber('a', 1);
      await client.subscribe('a', 1);
      const publisher = await stage.connect('publisher');
      await publisher.publish('a', 'x', { qos: 1 });
      await publisher.publish('a', 'end', { qos: 1 });
      return client.untilEnd();
    },
  },
  {
    clause: '3.8.4',
    title: 'subscriptions that overlap deliver a message at least once, at the largest QoS of all',
    expected: 'largest QoS 2 / 2 / 1 / 1 / 2 / 1',
    mosquitto: {
      seen: 'largest QoS 2 / 2 / 1 / 1 / 0 / 0',
      why: 'Mosquitto delivers once, at the QoS of the subscription that it comes upon first.',
    },
    play: async (stage) => {
      const seen: number[] = [];
      const cases = [
        [['a/#', 0], ['a/b', 2], 2],
        [['a/b', 2], ['a/#', 0], 2],
        [['a/+', 1], ['a/#', 0], 2],
        [['+/b', 0], ['a/b', 1], 2],
        [['a/#', 2], ['a/b', 0], 2],
        [['a/b', 0], ['a/#', 1], 1],
      ] as const;
      for (const [one, two, qos] of cases) {
        const client = await stage.connect('client');
        client.send(subscribe(5, one, two));
        await client.take('SUBACK');
        const publisher = await stage.connect('publisher');
        await publisher.publish('a/b', 'x', { qos });
        await publisher.publish('a/b', 'end', { qos: 2, id: 7 });
        seen.push(Math.max(...[...(await client.untilEnd()).matchAll(/QoS (\d)/g)].map(([, digit]) => Number(digit))));
      }
      return `largest QoS ${seen.join(' / ')}`;
    },
  },
  {
    clause: 'MQTT-3.3.5-1',
    title: 'subscriptions that overlap may deliver a message once',
    expected: 'PUBLISH a/b x QoS 1 #1',
    play: async (stage) => {
      const client = await stage.connect('client');
      client.send(subscribe(5, ['a/#', 1], ['a/b', 1], ['+/b', 1]));
      await client.take('SUBACK');
      const publisher = await stage.connect('publisher');
      await publisher.publish('a/b', 'x', { qos: 1 });
      await publisher.publish('a/b', 'end', { qos: 1 });
      return client.untilEnd();
    },
  },
  {
    clause: 'MQTT-3.3.5-1',
    title: 'a session with subscriptions that overlap at different QoS gets a message once, and not again on return',
    expected: 'PUBLISH a/b x QoS 1 #1 / nothing',
    play: async (stage) => {
      const client = await stage.connect('client', { clean: false });
      client.send(subscribe(5, ['a/#', 0], ['a/b', 1]));
      await client.take('SUBACK');
      const publisher = await stage.connect('publisher');
      await publisher.publish('a/b', 'x', { qos: 1 });
      const live = await client.receive();
      await client.quiet();
      await client.cut();
      const again = await stage.connect('client', { clean: false });
      return `${live} / ${await again.heard()}`;
    },
  },
  {
    clause: 'MQTT-3.8.4-4',
    title: 'many filters in one SUBSCRIBE are as good as many SUBSCRIBEs',
    expected: '100 codes, PUBLISH t/57 x QoS 1 #1',
    play: async (stage) => {
      const client = await stage.connect('client');
      client.send(subscribe(5, ...Array.from({ length: 100 }, (_, n) => [`t/${n}`, 1] as const)));
      const { body } = await client.take('SUBACK');
      const publisher = await stage.connect('publisher');
      await publisher.publish('t/57', 'x', { qos: 1 });
      return `${body.length - 2} codes, ${await client.heard(1)}`;
    },
  },
];

/** From a QoS to QoS 1. */
const resubscribing = (clean: boolean, before: Qos): Behaviour => ({
  clause: 'MQTT-3.10.4-3',
  title: `UNSUBSCRIBE, and SUBSCRIBE instead of QoS ${before}, in one segment leave a ${clean ? 'client' : 'session'} one subscription`,
  expected: 'PUBLISH a x QoS 1 #1, UNSUBACK 6, nothing',
  play: async (stage) => {
    const client = await stage.subscriber('a', before, { clean });
    client.send(unsubscribe(4, 'a'), subscribe(5, ['a', 1]));
    await client.take('UNSUBACK');
    await client.take('SUBACK');
    const publisher = await stage.connect('publisher');
    await publisher.publish('a', 'x', { qos: 1 });
    const heard = await client.heard(1);
    client.send(unsubscribe(6, 'a'));
    const answer = await client.heard(1);
    await publisher.publish('a', 'y', { qos: 1 });
    return `${heard}, ${answer}, ${await client.heard()}`;
  },
});

const unsubscribing: readonly Behaviour[] = [
  {
    clause: 'MQTT-3.10.4-4',
    title: 'UNSUBACK has the packet id of its UNSUBSCRIBE, and nothing is delivered after it',
    expected: 'UNSUBACK 513, nothing',
    play: async (stage) => {
      const client = await stage.subscriber('a', 1);
      client.send(unsubscribe(513, 'a'));
      const answer = await client.heard(1);
      const publisher = await stage.connect('publisher');
      await publisher.publish('a', 'x', { qos: 1 });
      return `${answer}, ${await client.heard()}`;
    },
  },
  {
    clause: 'MQTT-3.10.4-5',
    title: 'UNSUBSCRIBE from what was never subscribed is answered all the same',
    expected: 'UNSUBACK 5',
    play: (stage) => answerTo(stage, unsubscribe(5, 'never')),
  },
  {
    clause: 'MQTT-3.10.4-1',
    title: 'filters are compared letter by letter: a subscription to another filter stays',
    expected: 'UNSUBACK 5, PUBLISH a/b x QoS 1 #1',
    play: async (stage) => {
      const client = await stage.subscriber('a/#', 1);
      client.send(unsubscribe(5, 'a/b', 'A/#'));
      const answer = await client.heard(1);
      const publisher = await stage.connect('publisher');
      await publisher.publish('a/b', 'x', { qos: 1 });
      return `${answer}, ${await client.heard(1)}`;
    },
  },
  {
    clause: 'MQTT-3.10.4-6',
    title: 'several filters in one UNSUBSCRIBE are all left',
    expected: 'UNSUBACK 5, nothing',
    play: async (stage) => {
      const client = await stage.connect('client');
      client.send(subscribe(4, ['a', 0], ['b/+', 0], ['c/#', 0]));
      await client.take('SUBACK');
      client.send(unsubscribe(5, 'a', 'b/+', 'c/#'));
      const answer = await client.heard(1);
      const publisher = await stage.connect('publisher');
      for (const topic of ['a', 'b/x', 'c/x/y']) await publisher.publish(topic, 'x', { qos: 1 });
      return `${answer}, ${await client.heard()}`;
    },
  },
  {
    clause: 'MQTT-3.10.4-3',
    title: 'a session forgets a filter that was left, also while it is away',
    expected: 'nothing',
    play: async (stage) => {
      const client = await stage.subscriber('a', 1, { clean: false });
      client.send(unsubscribe(5, 'a'));
      await client.take('UNSUBACK');
      await client.cut();
      const publisher = await stage.connect('publisher');
      await publisher.publish('a', 'x', { qos: 1 });
      const again = await stage.connect('subscriber', { clean: false });
      return again.heard();
    },
  },
  {
    clause: 'MQTT-3.10.1-1',
    title: 'an UNSUBSCRIBE without its reserved bits ends the connection',
    expected: 'closed',
    play: (stage) => answerTo(stage, packet(0xa0, u16(5), text('a'))),
  },
  {
    clause: 'MQTT-3.10.3-2',
    title: 'an UNSUBSCRIBE without a filter ends the connection',
    expected: 'closed',
    play: (stage) => answerTo(stage, packet(0xa2, u16(5))),
  },
  {
    clause: 'MQTT-2.3.1-1',
    title: 'packet id 0 in an UNSUBSCRIBE ends the connection',
    expected: 'closed',
    play: (stage) => answerTo(stage, unsubscribe(0, 'a')),
  },
  {
    clause: 'MQTT-3.10.3-1',
    title: 'a filter to leave that is not UTF-8 ends the connection',
    expected: 'closed',
    play: (stage) => answerTo(stage, unsubscribe(5, Buffer.of(0x61, 0xff))),
  },
  {
    clause: 'MQTT-4.7.1-2',
    title: 'an invalid filter to leave ends the connection',
    expected: 'closed / closed',
    play: (stage) => answersTo(stage, unsubscribe(5, 'a/#/b'), unsubscribe(5, 'a+')),
  },
  {
    clause: 'MQTT-3.10.4-2',
    title: 'a QoS 1 message that was begun before UNSUBSCRIBE is finished',
    expected: 'UNSUBACK 5, nothing',
    play: async (stage) => {
      const client = await stage.subscriber('a', 1);
      const publisher = await stage.connect('publisher');
      await publisher.publish('a', 'x', { qos: 1 });
      const { id } = await client.take('PUBLISH');
      client.send(unsubscribe(5, 'a'), packet(0x40, u16(id)));
      return `${await client.heard(1)}, ${await client.heard()}`;
    },
  },
  ...[true, false].flatMap((clean) => [resubscribing(clean, 1), resubscribing(clean, 2)]),
];

export const SUBSCRIBE_BEHAVIOURS = [...subscribing, ...unsubscribing];
