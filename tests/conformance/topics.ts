// Topic names, topic filters and UTF-8 strings: 1.5.3 and 4.7.
import type { Behaviour, Stage } from './behaviour.ts';
import { publish, subscribe, type Field } from '../support/mqtt-bytes.ts';

/** Whether what is published to the topic reaches who subscribes to the filter. */
async function reaches(stage: Stage, filter: string, topic: string): Promise<boolean> {
  const client = await stage.connect('client');
  client.send(subscribe(5, [filter, 1], ['end', 1]));
  await client.take('SUBACK');
  await client.publish(topic, 'x', { qos: 1 });
  await client.publish('end', 'end', { qos: 1 });
  const heard = await client.untilEnd();
  await client.cut();
  return heard.includes('PUBLISH');
}

const match = (clause: string, pairs: readonly (readonly [string, string, boolean])[], title: string): Behaviour => ({
  clause,
  title,
  expected: pairs.map(([filter, topic, isHeard]) => `${filter} ${isHeard ? 'hears' : 'misses'} ${topic}`).join(', '),
  play: async (stage) => {
    const seen: string[] = [];
    for (const [filter, topic] of pairs)
      seen.push(`${filter} ${(await reaches(stage, filter, topic)) ? 'hears' : 'misses'} ${topic}`);
    return seen.join(', ');
  },
});

const malformed = (clause: string, title: string, topic: Uint8Array): Behaviour => ({
  clause,
  title,
  expected: 'closed / closed',
  play: async (stage) => {
    const publisher = await stage.connect('publisher');
    publisher.send(publish(topic, 'x'));
    const subscriber = await stage.connect('subscriber');
    subscriber.send(subscribe(5, [topic, 0]));
    return `${await publisher.heard()} / ${await subscriber.heard()}`;
  },
});

/** The topic as it comes out of a broker, byte by byte. */
async function carried(stage: Stage, topic: Field): Promise<string> {
  const client = await stage.connect('client');
  client.send(subscribe(5, [topic, 0]));
  await client.take('SUBACK');
  client.send(publish(topic, 'x'));
  const { body } = await client.take('PUBLISH');
  const bytes = Buffer.from(typeof topic === 'string' ? Buffer.from(topic) : topic);
  return body.subarray(2, 2 + bytes.length).equals(bytes) ? 'as it was' : 'changed';
}

export const TOPIC_BEHAVIOURS: readonly Behaviour[] = [
  match(
    '4.7.1.2',
    [
      ['sport/#', 'sport', true],
      ['sport/#', 'sport/tennis/player1', true],
      ['#', 'a/b/c', true],
      ['sport/#', 'sports', false],
    ],
    '# stands for its parent and any number of levels',
  ),
  match(
    '4.7.1.3',
    [
      ['sport/+', 'sport/tennis', true],
      ['sport/+', 'sport', false],
      ['sport/+', 'sport/tennis/player1', false],
      ['+/tennis/#', 'sport/tennis', true],
      ['+', 'sport', true],
    ],
    '+ stands for one level',
  ),
  match(
    '4.7.1.3',
    [
      ['sport/+', 'sport/', true],
      ['+/+', '/finance', true],
      ['/+', '/finance', true],
      ['+', '/finance', false],
      ['+/b', '/b', true],
    ],
    'a level may be empty, and + stands for it',
  ),
  match(
    'MQTT-4.7.3-4',
    [
      ['a/', 'a/', true],
      ['a/', 'a', false],
      ['/a', 'a', false],
      ['a//b', 'a//b', true],
      ['a/+/b', 'a//b', true],
      ['/', '/', true],
    ],
    'a slash at the beginning or end makes another topic',
  ),
  match(
    '4.7.3',
    [
      ['ACCOUNTS', 'Accounts', false],
      ['accounts payable', 'accounts payable', true],
      ['\u00e9', 'e\u0301', false],
    ],
    'topics differ in case and in the form of a letter, and may hold spaces',
  ),
  match(
    'MQTT-4.7.2-1',
    [
      ['#', '$hw/a', false],
      ['+/a', '$hw/a', false],
      ['$hw/#', '$hw/a', true],
      ['$hw/+', '$hw/a', true],
      ['a/$hw', 'a/$hw', true],
      ['a/#', 'a/$hw', true],
    ],
    'a wildcard at the beginning does not stand for a level that begins with $',
  ),
  {
    clause: 'MQTT-4.7.2-1',
    title: 'a session that is away with a wildcard at the beginning is kept nothing under $',
    expected: 'PUBLISH a/b x QoS 1 #1',
    play: async (stage) => {
      const first = await stage.connect('client', { clean: false });
      first.send(subscribe(5, ['#', 1], ['+/b', 1]));
      await first.take('SUBACK');
      await first.cut();
      const publisher = await stage.connect('publisher');
      await publisher.publish('$hw/b', 'hidden', { qos: 1 });
      await publisher.publish('a/b', 'x', { qos: 1 });
      const again = await stage.connect('client', { clean: false });
      return again.heard(1);
    },
  },
  {
    clause: '4.7.2',
    title: 'a client that publishes to the broker’s own topics reaches nobody',
    expected: 'nothing',
    play: async (stage) => {
      const subscriber = await stage.connect('subscriber');
      subscriber.send(subscribe(5, ['$SYS/lie', 0], ['end', 0]));
      await subscriber.take('SUBACK');
      const liar = await stage.connect('liar');
      liar.send(publish('$SYS/lie', 'x', { qos: 1 }));
      await liar.heard();
      const publisher = await stage.connect('publisher');
      await publisher.publish('end', 'end');
      return subscriber.untilEnd();
    },
  },
  {
    clause: 'MQTT-3.3.5-2',
    title: 'a client that may not publish somewhere is disconnected, or acknowledged and not heard',
    expected: 'closed',
    mosquitto: { seen: 'PUBACK 1', why: 'The clause allows both; Mosquitto acknowledges, and drops the message.' },
    play: async (stage) => {
      const liar = await stage.connect('liar');
      liar.send(publish('$SYS/lie', 'x', { qos: 1 }));
      return liar.heard();
    },
  },
  {
    clause: 'MQTT-4.7.3-1',
    title: 'an empty topic ends the connection',
    expected: 'closed',
    play: async (stage) => {
      const client = await stage.connect('client');
      client.send(publish('', 'x'));
      return client.heard();
    },
  },
  {
    clause: 'MQTT-4.7.3-3',
    title: 'a topic of 65,535 bytes is carried',
    expected: 'as it was',
    play: (stage) => carried(stage, 'x'.repeat(65_535)),
  },
  {
    clause: '4.7.3',
    title: 'a topic of a hundred levels is carried',
    expected: 'as it was',
    play: (stage) => carried(stage, Array.from({ length: 100 }, () => 'x').join('/')),
  },
  {
    clause: '4.7.3',
    title: 'a topic of a hundred and one levels is carried',
    expected: 'as it was',
    ours: { seen: 'closed', why: 'A limit of ours, as 4.7.3 allows it: whatever matches topics takes time per level.' },
    play: async (stage) => {
      const client = await stage.connect('client');
      const topic = Array.from({ length: 101 }, () => 'x').join('/');
      client.send(subscribe(5, [topic, 0]));
      const answer = await client.heard(1);
      return answer === 'closed' ? answer : carried(stage, topic);
    },
  },
  malformed(
    'MQTT-1.5.3-1',
    'a topic or filter with half of a surrogate pair ends the connection',
    Buffer.of(0x61, 0xed, 0xa0, 0x80),
  ),
  malformed('MQTT-1.5.3-1', 'a topic or filter with an overlong form ends the connection', Buffer.of(0x61, 0xc0, 0x80)),
  malformed(
    'MQTT-1.5.3-1',
    'a topic or filter with a character that was cut ends the connection',
    Buffer.of(0x61, 0xf0, 0x9f, 0x98),
  ),
  malformed('MQTT-1.5.3-1', 'a topic or filter beyond U+10FFFF ends the connection', Buffer.of(0xf4, 0x90, 0x80, 0x80)),
  malformed('MQTT-1.5.3-2', 'a topic or filter with U+0000 ends the connection', Buffer.of(0x61, 0x00, 0x62)),
  {
    clause: 'MQTT-1.5.3-3',
    title: 'U+FEFF is a character like any other, and is not taken away',
    expected: 'as it was',
    play: (stage) => carried(stage, Buffer.of(0xef, 0xbb, 0xbf, 0x61)),
  },
  {
    clause: '1.5.3',
    title: 'letters of two, three and four bytes are carried as they are, and so is U+FFFD',
    expected: 'as it was',
    play: (stage) => carried(stage, 'ä/水/𝄞/\u{fffd}'),
  },
];
