// A whole edge node between MQTT clients and a real nats-server: definitions down, updates up, answers to whoever asks.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { waitUntil } from '../../support/wait-until.ts';
import { BOILER, EdgeWorld, report, SHORT_UPDATE, UPDATE, wanting, wish } from './edge-world.ts';

const QOS1 = { qos: 1 } as const;

void test('a definition reaches the mapper topic, and its desired value both forms of the device topics', async () => {
  await using world = await EdgeWorld.open();
  await world.startEdge();
  const heard = await world.listener();

  await world.put(BOILER);

  for (const topic of [UPDATE, SHORT_UPDATE]) {
    const document = await heard.first(`${topic}/document`);
    assert.equal(JSON.stringify(document['twin']).includes('"last":null,"current":{"expected":{"value":"70"'), true);
    assert.deepEqual((await heard.first(`${topic}/delta`))['delta'], { setpoint: '70' });
  }
  const late = await world.listener('$skerry/mapper/#');
  const definition = await late.first('$skerry/mapper/modbus/default/boiler');
  assert.deepEqual(definition['protocolConfig'], { ip: '10.0.0.7' });
  assert.deepEqual(
    (definition['properties'] as { desired?: string }[]).map(({ desired }) => desired),
    ['70', undefined],
  );
  assert.equal(late.messages[0]?.retain, true);
  assert.equal(
    heard.messages.some(({ topic, retain }) => retain && topic.startsWith('$hw')),
    false,
  );
  assert.deepEqual(world.log.warnings, []);
});

void test('result, document and delta follow the acknowledgement in this order, with the event id', async () => {
  await using world = await EdgeWorld.open();
  await world.startEdge();
  await world.put(BOILER);
  const heard = await world.listener();
  await waitUntil('the device to be known', () => heard.on('$skerry/mapper/modbus/default/boiler').length > 0);
  const device = await world.client();

  await device.publishAsync(UPDATE, report('setpoint', 65, 'e-1'), QOS1);
  await heard.first(`${UPDATE}/delta`, '"actual"');

  const answers = heard.messages.filter(({ topic }) => topic.startsWith(`${UPDATE}/`)).slice(-3);
  assert.deepEqual(
    answers.map(({ topic }) => topic.slice(UPDATE.length)),
    ['/result', '/document', '/delta'],
  );
  const [result, document, delta] = answers.map(({ payload }) => JSON.parse(payload) as Record<string, unknown>);
  assert.deepEqual([result?.['event_id'], document?.['event_id']], ['e-1', 'e-1']);
  assert.equal(JSON.stringify(result?.['twin']).startsWith('{"setpoint":{"actual":{"value":"65"'), true);
  assert.deepEqual(delta?.['delta'], { setpoint: '70' });
});

void test('updates of several devices arrive in the stream once each, in order per device', async () => {
  await using world = await EdgeWorld.open();
  await world.startEdge();
  const names = ['boiler', 'pump', 'fan.north'];
  for (const name of names) await world.put({ ...BOILER, name, uid: `uid-${name}` });
  const heard = await world.listener('$skerry/#');
  await waitUntil('the devices to be known', () => new Set(heard.messages.map(({ topic }) => topic)).size === 3);
  const device = await world.client();

  const numbers = Array.from({ length: 300 }, (_, n) => n + 1);
  await Promise.all(
    numbers.flatMap((n) =>
      names.map((name) =>
        device.publishAsync(`$hw/events/device/default/${name}/twin/update`, report('count', n), QOS1),
      ),
    ),
  );

  for (const name of names) {
    await waitUntil(`all of ${name}`, async () => (await world.reported('count', name)).length >= 300);
    assert.deepEqual(await world.reported('count', name), numbers.map(String));
  }
  const subjects = new Set((await world.upEvents()).map(({ subject }) => subject));
  assert.ok(subjects.has('skerry.n1.up.twin.default.fan_north'));
  assert.equal((await world.upEvents()).filter(({ kind }) => kind === 'state').length, 3);
  assert.deepEqual(world.log.warnings, []);
});

void test('a repeated event id is acknowledged and changes nothing, a repeated value moves only its time', async () => {
  await using world = await EdgeWorld.open();
  await world.startEdge();
  await world.put(BOILER);
  const heard = await world.listener();
  await heard.first('$skerry/mapper/modbus/default/boiler');
  const device = await world.client();

  for (const [value, id] of [
    [1, 'a'],
    [1, ''],
    [2, 'b'],
    [9, 'a'],
    [3, 'c'],
  ] as const) {
    await device.publishAsync(UPDATE, report('count', value, id), QOS1);
  }

  await waitUntil('the last value', async () => (await world.reported('count')).includes('3'));
  assert.deepEqual(await world.reported('count'), ['1', '2', '3']);
});

void test('twin/get and state/update are answered, on both forms', async () => {
  await using world = await EdgeWorld.open();
  await world.startEdge();
  await world.put(BOILER);
  const heard = await world.listener();
  await heard.first('$skerry/mapper/modbus/default/boiler');
  const device = await world.client();

  await device.publishAsync(UPDATE, report('count', 5), QOS1);
  await device.publishAsync('$hw/events/device/boiler/twin/get', '{"event_id":"get-9"}', QOS1);
  await device.publishAsync('$hw/events/device/default/boiler/state/update', '{"state":"Unhealthy"}', QOS1);

  for (const form of ['boiler', 'default/boiler']) {
    const twin = await heard.first(`$hw/events/device/${form}/twin/get/result`);
    assert.equal(twin['event_id'], 'get-9');
    assert.deepEqual(Object.keys(twin['twin'] as object), ['count', 'setpoint']);
    const state = await heard.first(`$hw/events/device/${form}/state/update/result`, 'Unhealthy');
    assert.deepEqual(state['device'], { name: 'boiler', state: 'Unhealthy' });
  }
  const states = async (): Promise<string[]> =>
    (await world.upEvents()).filter(({ kind }) => kind === 'state').map(({ value }) => value);
  await waitUntil('the states in the stream', async () => (await states()).length >= 2);
  assert.deepEqual((await states()).toSorted(), ['Unhealthy', 'online']);
});

void test('bad payloads are acknowledged, answered with the event id, put on the rejected topic, and change nothing', async () => {
  await using world = await EdgeWorld.open();
  await world.startEdge();
  await world.put(BOILER);
  const heard = await world.listener();
  await heard.first('$skerry/mapper/modbus/default/boiler');
  const device = await world.client({ reconnectPeriod: 0 });
  const deep = `{"event_id":"deep","twin":{"extra":{"actual":{"value":${'['.repeat(100_000)}${']'.repeat(100_000)}}}}}`;
  const bad: readonly (readonly [string, string, RegExp])[] = [
    ['{"event_id":', '', /not a JSON object/],
    ['{"event_id":"no-twin"}', 'no-twin', /"twin" is missing/],
    [report('count', 'many', 'type'), 'type', /"count" must be an integer/],
    [report('setpoint', 96, 'limit'), 'limit', /"setpoint" must be at most 95/],
    [wish('count', 5, 'read-only'), 'read-only', /"count" is ReadOnly/],
    [report('constructor', 5, 'name'), 'name', /"constructor" is reserved/],
    ['{"event_id":"proto","twin":{"__proto__":{"actual":{"value":1}}}}', 'proto', /"__proto__" is reserved/],
    [
      '{"event_id":"kind","twin":{"x":{"actual":{"value":1},"metadata":{"type":"constructor"}}}}',
      'kind',
      /"constructor"/,
    ],
    [deep, 'deep', /nested too deeply/],
  ];
  const bystander = await world.client({ reconnectPeriod: 0 });

  await Promise.all([
    ...bad.map(([payload]) => device.publishAsync(UPDATE, payload, QOS1)),
    ...bad.map((_, n) => bystander.publishAsync(UPDATE, report('count', n + 1), QOS1)),
  ]);

  await waitUntil('all refusals', () => heard.on('$skerry/rejected/default/boiler').length >= bad.length);
  for (const [, eventId, reason] of bad) {
    const rejected = await heard.first('$skerry/rejected/default/boiler', `"event_id":"${eventId}"`);
    assert.match(String(rejected['reason']), reason);
    for (const topic of [UPDATE, SHORT_UPDATE]) {
      const answer = await heard.first(`${topic}/result`, `"event_id":"${eventId}"`);
      assert.equal(answer['code'], 400);
      assert.match(String(answer['reason']), reason);
    }
  }
  assert.ok(device.connected && bystander.connected);
  await waitUntil('the good ones', async () => (await world.reported('count')).length >= bad.length);
  assert.deepEqual(new Set((await world.upEvents()).map(({ property }) => property)), new Set(['count', '']));
});

void test('a device that is not known here is answered 404 on its own topic', async () => {
  await using world = await EdgeWorld.open();
  await world.startEdge();
  const heard = await world.listener();
  const device = await world.client();

  await device.publishAsync('$hw/events/device/plant/ghost/twin/update', report('a', 1, 'e1'), QOS1);
  await device.publishAsync('$hw/events/device/ghost/twin/get', '{"event_id":"e2"}', QOS1);

  const update = await heard.first('$hw/events/device/plant/ghost/twin/update/result');
  assert.deepEqual([update['code'], update['event_id']], [404, 'e1']);
  assert.match(String(update['reason']), /plant\/ghost is not known on this node/);
  const get = await heard.first('$hw/events/device/ghost/twin/get/result');
  assert.deepEqual([get['code'], get['event_id']], [404, 'e2']);
});

void test('a wish at the node overrides the cloud until the cloud says something new', async () => {
  await using world = await EdgeWorld.open();
  await world.startEdge();
  await world.put(BOILER);
  const heard = await world.listener();
  await heard.first('$skerry/mapper/modbus/default/boiler', '"desired":"70"');
  const device = await world.client();

  await device.publishAsync(SHORT_UPDATE, wish('setpoint', 50), QOS1);
  await heard.first('$skerry/mapper/modbus/default/boiler', '"desired":"50"');
  await world.put({ ...BOILER, description: 'new words' });
  await world.put(wanting('80'));

  await heard.first('$skerry/mapper/modbus/default/boiler', '"desired":"80"');
  const told = heard
    .on('$skerry/mapper/modbus/default/boiler')
    .map(({ payload }) => /"desired":"(\d+)"/.exec(payload)?.[1]);
  assert.deepEqual(told, ['70', '50', '50', '80']);
});

void test('a value too large for a message of the stream is refused, and the device goes on', async () => {
  await using world = await EdgeWorld.open();
  await world.startEdge();
  const properties = [...BOILER.properties, { name: 'note', type: 'STRING', accessMode: 'ReadWrite' } as const];
  await world.put({ ...BOILER, properties });
  const heard = await world.listener('$skerry/#');
  await heard.first('$skerry/mapper/modbus/default/boiler');
  const device = await world.client();
  // As text of text every quote takes two bytes.
  const empty = Array.from({ length: 250_000 }, () => '""').join(',');

  await device.publishAsync(UPDATE, `{"event_id":"big","twin":{"note":{"actual":{"value":[${empty}]}}}}`, QOS1);
  await device.publishAsync(UPDATE, report('count', 5), QOS1);

  const refused = await heard.first('$skerry/rejected/default/boiler');
  assert.match(String(refused['reason']), /bytes in the stream/);
  await waitUntil('the update behind the large one', async () => (await world.reported('count')).includes('5'));
  assert.deepEqual(world.log.warnings, []);
});

void test('a long wish at the node that a long word of the cloud ends keeps nothing behind it waiting', async () => {
  await using world = await EdgeWorld.open();
  await world.startEdge();
  const noting = (desired: string): typeof BOILER => ({
    ...BOILER,
    properties: [...BOILER.properties, { name: 'note', type: 'STRING', accessMode: 'ReadWrite', desired }],
  });
  await world.put(noting('a'));
  const heard = await world.listener('$skerry/#');
  await heard.first('$skerry/mapper/modbus/default/boiler');
  const device = await world.client();

  await device.publishAsync(UPDATE, wish('note', 'x'.repeat(700_000)), QOS1);
  await world.put(noting('b'.repeat(500_000)));
  await waitUntil('the word of the cloud', () =>
    heard.on('$skerry/mapper/modbus/default/boiler').some(({ payload }) => payload.includes('bbbb')),
  );
  await device.publishAsync(UPDATE, report('count', 5), QOS1);

  await waitUntil('the update behind the end', async () => (await world.reported('count')).includes('5'));
  const ended = (await world.upEvents()).flatMap(({ override }) => override?.ended ?? []);
  assert.deepEqual(
    ended.map(({ property, value, reason }) => [property, value.length, reason]),
    [['note', 100, 'CloudChanged']],
  );
  assert.deepEqual(world.log.warnings, []);
});

void test('a device re-created under its name is another one: event ids of the first say nothing about it', async () => {
  await using world = await EdgeWorld.open();
  await world.startEdge();
  await world.put(BOILER);
  const heard = await world.listener();
  await heard.first('$skerry/mapper/modbus/default/boiler');
  const device = await world.client();
  await device.publishAsync(UPDATE, report('count', 1, 'same'), QOS1);
  await world.remove(BOILER);
  await waitUntil(
    'the device to be gone',
    () => heard.on('$skerry/mapper/modbus/default/boiler').at(-1)?.payload === '',
  );
  await world.put({ ...BOILER, uid: 'uid-2' });
  await waitUntil(
    'the device to be back',
    () => heard.on('$skerry/mapper/modbus/default/boiler').at(-1)?.payload !== '',
  );

  await device.publishAsync(UPDATE, report('count', 2, 'same'), QOS1);

  await waitUntil('its value', async () => (await world.reported('count')).includes('2'));
});
