// KubeEdge's membership contract (kubeedge-contract, sections 1.3 to 1.7 and 1.11), spoken by Mosquitto's own clients and by `mqtt`.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';
import { waitUntil } from '../../support/wait-until.ts';
import { BOILER, EdgeWorld, NODE } from '../../integration/edge/edge-world.ts';

const GET = `$hw/events/node/${NODE}/membership/get`;
const RESULT = `${GET}/result`;
const UPDATED = `$hw/events/node/${NODE}/membership/updated`;
const QOS1 = { qos: 1 } as const;
const PUMP = { ...BOILER, namespace: 'plant', name: 'pump', uid: 'uid-2', description: 'second floor' };

interface Body {
  readonly event_id: string;
  readonly timestamp: number;
  readonly devices: readonly Record<string, string>[];
}

void test('a device that is bound, made again or unbound is told in a message of its own, once', async () => {
  await using world = await EdgeWorld.open();
  await world.startEdge();
  const heard = await world.listener();

  await world.put(BOILER);
  await heard.first(UPDATED, 'boiler');
  await world.put({ ...BOILER, description: 'said later', binding: 2 });
  await world.put({ ...BOILER, uid: 'uid-9' });
  await waitUntil('the device to be made again', () => heard.on(UPDATED).length >= 3);
  await world.put(PUMP);
  await heard.first(UPDATED, 'pump');
  await world.remove(BOILER);
  await heard.first(UPDATED, 'removed_devices":[{"id":"default/boiler"');
  await waitUntil('the last of them', () => heard.on(UPDATED).length >= 5);

  const boiler = { id: 'default/boiler', name: 'boiler' };
  const bodies = heard.on(UPDATED).map(({ payload }) => JSON.parse(payload) as Record<string, unknown>);
  assert.deepEqual(
    bodies.map(({ added_devices: added, removed_devices: removed }) => [added, removed]),
    [
      [[boiler], null],
      [null, [{ ...boiler, description: 'said later' }]],
      [[boiler], null],
      [[{ id: 'plant/pump', name: 'pump', description: 'second floor' }], null],
      [null, [boiler]],
    ],
  );
  for (const body of bodies) assert.match(String(body['event_id']), /^[0-9a-f-]{36}$/);
  assert.deepEqual(world.log.warnings, []);
});

const REQUESTS: readonly { readonly sent: string; readonly eventId: string }[] = [
  { sent: '{"event_id":"m1","timestamp":1767225604000}', eventId: 'm1' },
  { sent: '{"Event_ID":"m2"}', eventId: 'm2' },
  { sent: '{"unknown":{"field":[1]}}', eventId: '' },
  { sent: '', eventId: '' },
];

void test('membership/get is answered with the devices of the node, in the words of the contract', async () => {
  await using world = await EdgeWorld.open();
  await world.startEdge();
  await world.put(PUMP);
  await world.put(BOILER);
  const heard = await world.listener();
  await heard.first('$skerry/mapper/modbus/default/boiler');
  await heard.first('$skerry/mapper/modbus/plant/pump');
  const client = await world.client();
  await client.publishAsync('$hw/events/device/plant/pump/state/update', '{"state":"online"}', QOS1);

  for (const [place, { sent, eventId }] of REQUESTS.entries()) {
    await client.publishAsync(GET, sent, QOS1);
    await waitUntil(`the answer to ${sent}`, () => heard.on(RESULT).length > place);
    const { payload = '' } = heard.on(RESULT).at(-1) ?? {};
    const { devices, ...head } = JSON.parse(payload) as Body;
    assert.deepEqual(Object.keys(head), ['event_id', 'timestamp']);
    assert.equal(head.event_id, eventId);
    const lastOnline = devices[1]?.['last_online'] ?? '';
    assert.match(lastOnline, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
    assert.deepEqual(devices, [
      { id: 'default/boiler', name: 'boiler' },
      { id: 'plant/pump', name: 'pump', description: 'second floor', state: 'online', last_online: lastOnline },
    ]);
  }
  assert.equal(heard.on(RESULT).length, REQUESTS.length);
});

const REFUSED: readonly {
  readonly node: string;
  readonly sent: string;
  readonly code: number;
  readonly says: RegExp;
}[] = [
  {
    node: NODE,
    sent: 'not json',
    code: 400,
    says: /^Unmarshal get membership info not json failed , err: .*not a JSON object/,
  },
  { node: NODE, sent: '[]', code: 400, says: /^Unmarshal get membership info \[\] failed , err: / },
  { node: 'other', sent: '{"event_id":"m3"}', code: 404, says: /this is the node n1/ },
];

void test('what cannot be answered is acknowledged, answered on the result topic with a code, and shown to everybody', async () => {
  await using world = await EdgeWorld.open();
  await world.startEdge();
  const heard = await world.listener();
  const client = await world.client({ reconnectPeriod: 0 });

  for (const { node, sent, code, says } of REFUSED) {
    const result = `$hw/events/node/${node}/membership/get/result`;
    const before = heard.on(result).length;
    await client.publishAsync(`$hw/events/node/${node}/membership/get`, sent, QOS1);
    await waitUntil(`the answer to ${sent}`, () => heard.on(result).length > before);
    const answer = JSON.parse(heard.on(result).at(-1)?.payload ?? '') as Record<string, unknown>;
    assert.equal(answer['code'], code);
    assert.match(String(answer['reason']), says);
    await heard.first(`$skerry/rejected/${NODE}`, JSON.stringify(sent));
  }
  assert.equal(client.connected, true);
});

void test('what a node says of itself on topics beside these is no request', async () => {
  await using world = await EdgeWorld.open();
  await world.startEdge();
  const heard = await world.listener();
  const client = await world.client();

  for (const topic of ['membership', 'membership/detail', 'authInfo/get', 'membership/get/more'])
    await client.publishAsync(`$hw/events/node/${NODE}/${topic}`, '{}', QOS1);
  await client.publishAsync(GET, '{}', QOS1);
  await heard.first(RESULT);

  assert.equal(heard.on(RESULT).length, 1);
});

void test('mosquitto_pub asks and mosquitto_sub gets the answer', async () => {
  await using world = await EdgeWorld.open();
  await world.startEdge();
  await world.put(PUMP);
  const heard = await world.listener('$skerry/mapper/#');
  await heard.first('$skerry/mapper/modbus/plant/pump');
  const { port } = new URL(world.edge?.addresses.mqtt ?? '');
  const broker = ['-h', '127.0.0.1', '-p', port];
  const subscriber = spawn('mosquitto_sub', [...broker, '-t', RESULT, '-q', '1', '-C', '1', '-W', '20'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let answer = '';
  subscriber.stdout.on('data', (chunk: Buffer) => (answer += chunk.toString('utf8')));
  const ended = once(subscriber, 'close');

  // It is asked again until the subscriber is there to hear it.
  await waitUntil('the answer', async () => {
    const asking = spawn('mosquitto_pub', [...broker, '-t', GET, '-q', '1', '-m', '{"event_id":"cli"}']);
    await once(asking, 'close');
    return subscriber.exitCode !== null;
  });
  await ended;

  const { event_id: eventId, devices } = JSON.parse(answer) as Body;
  assert.deepEqual([eventId, devices.map(({ id }) => id)], ['cli', ['plant/pump']]);
});
