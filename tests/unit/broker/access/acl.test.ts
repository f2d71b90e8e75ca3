import fc from 'fast-check';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DEFAULT_ACL, parseAcl } from '../../../../broker/access/acl.ts';
import { DEVICE_ANSWERS, DEVICE_REQUESTS, parseDataTopic, parseDeviceTopic } from '../../../../src/wire/mqtt-topics.ts';

const FILE = 'acl';

void test('users have what their own lines and the patterns say, and nothing else', () => {
  const acl = parseAcl(
    [
      '# what is said before the first user is for those who do not say who they are',
      'topic read weather/#',
      'user display',
      'topic read hall/+/temperature',
      'topic write hall/lamp',
      'topic plain/topic with spaces',
      'user mapper',
      'device plant/pump',
      'pattern write logs/%u/%c/#',
      'user display',
      'topic read later/#',
    ].join('\n'),
    FILE,
  );
  const display = acl.rightsOf('display', 'screen-1');

  assert.equal(display.maySubscribe('hall/kitchen/temperature'), true);
  assert.equal(display.maySubscribe('hall/#'), false);
  assert.equal(display.mayPublish('hall/lamp'), true);
  assert.equal(display.maySubscribe('hall/lamp'), false);
  assert.equal(display.mayPublish('plain/topic with spaces'), true);
  assert.equal(display.maySubscribe('later/x'), true);
  assert.equal(display.mayPublish('logs/display/screen-1/error'), true);
  assert.equal(display.mayPublish('logs/mapper/screen-1/error'), false);
  assert.equal(display.maySubscribe('weather/#'), false);
  assert.equal(acl.rightsOf('mapper', 'm').mayPublish('$hw/events/device/plant/pump/twin/update'), true);
  assert.equal(acl.anonymous?.maySubscribe('weather/now'), true);
  assert.equal(acl.anonymous.mayPublish('weather/now'), false);
});

void test('where nothing is said of anonymous clients, nothing is taken from them', () => {
  assert.equal(parseAcl('user a\ntopic x', FILE).anonymous, undefined);
});

void test('a name that would be more than one level of a topic is put into no pattern', () => {
  const acl = parseAcl('pattern readwrite of/%c/#\npattern readwrite by/%u/#', FILE);

  for (const clientId of ['+', '#', 'a/b', '', '+/x'])
    assert.equal(acl.rightsOf('user', clientId).mayPublish(`of/${clientId}/x`), false, clientId);
  assert.equal(acl.rightsOf('user', '+').maySubscribe('of/+/#'), false);
  assert.equal(acl.rightsOf('a/b', 'c').mayPublish('by/a/b/x'), false);
  for (const user of ['+', '#', 'a/b/c', '']) assert.equal(acl.rightsOf(user, 'c').maySubscribe('by/+/#'), false, user);
});

void test('a line that is none is refused with file, line and what was expected', () => {
  for (const [line, problem] of [
    ['topic', /line 2 of the access file acl says nothing behind "topic"/],
    ['topic read a/#/b', /"a\/#\/b" is no topic filter/],
    ['topic deny a', /says "deny": lines only grant/],
    ['user a b', /"a b" is no name of a user/],
    ['device +', /"\+" is no NAMESPACE\/NAME/],
    ['allow everything', /begins with "allow"; expected user, topic, device or pattern/],
  ] as const)
    assert.throws(() => parseAcl(`user x\n${line}`, FILE), { code: 'BROKER_ACL_INVALID', message: problem }, line);
});

// Names that make the forms of one device look like those of another.
const level = fc.constantFrom('a', 'b', 'twin', 'state', 'device', 'default', 'update', 'get', 'data', 'user');
const device = fc.oneof(
  level.map((name) => ({ namespace: 'default', name, user: name })),
  fc.tuple(level, level).map(([namespace, name]) => ({ namespace, name, user: `${namespace}/${name}` })),
);
const suffix = fc.constantFrom(...DEVICE_REQUESTS, ...DEVICE_ANSWERS);

void test('by default a user has the topics of its own device in every form, and of no other device, whatever they are called', () => {
  const acl = parseAcl(DEFAULT_ACL, FILE);
  fc.assert(
    fc.property(device, device, suffix, fc.boolean(), (mine, asked, what, isShort) => {
      const form = asked.namespace === 'default' && isShort ? asked.name : `${asked.namespace}/${asked.name}`;
      const topics = [
        `$hw/events/device/${form}/${what}`,
        `$ke/events/device/${form}/data/update`,
        `$ke/events/${form}/device/data/update`,
      ];
      const rights = acl.rightsOf(mine.user, 'client');
      const isMine = mine.namespace === asked.namespace && mine.name === asked.name;
      for (const topic of topics) {
        const spoken = parseDeviceTopic(topic)?.device ?? parseDataTopic(topic);
        const isOf = spoken?.namespace === mine.namespace && spoken.name === mine.name;
        if (spoken !== undefined) assert.equal(rights.mayPublish(topic), isOf, topic);
      }
      assert.equal(rights.mayHear(`$hw/events/device/${form}/${what}`), isMine);
      const rejected = `$skerry/rejected/${asked.namespace}/${asked.name}`;
      assert.equal(rights.mayHear(rejected), isMine);
    }),
    { numRuns: 5000 },
  );
});

void test('by default no wildcard reaches the topics of devices, of the node and of the broker, and plain topics are everybody’s', () => {
  const rights = parseAcl(DEFAULT_ACL, FILE).rightsOf('counter', 'client');

  for (const filter of [
    '$hw/#',
    '$hw/events/device/#',
    '$hw/events/device/+/twin/update',
    '$hw/events/device/+/+/twin/update/#',
    '$hw/events/device/counter/#',
    '$hw/events/node/+/membership/#',
    '$skerry/#',
    '$skerry/mapper/#',
    '$SYS/#',
    '$share/group/$hw/#',
  ])
    assert.equal(rights.maySubscribe(filter), false, filter);
  for (const filter of ['#', '+/user/#', '$hw/events/device/counter/twin/update/#', '$skerry/mapper/+/default/counter'])
    assert.equal(rights.maySubscribe(filter), true, filter);
});
