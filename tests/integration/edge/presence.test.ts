// Whether a device is there, by its client, its will and its silence: real clients on real sockets, killed.
import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { test } from 'node:test';
import { ms } from '../../../src/kit/units.ts';
import type { DeviceDefinition } from '../../../src/model/device.ts';
import { waitUntil } from '../../support/wait-until.ts';
import { BOILER, EdgeWorld, report, UPDATE, type Heard } from './edge-world.ts';

const QOS1 = { qos: 1 } as const;
const RESULT = '$hw/events/device/default/boiler/state/update/result';
const STATE_UPDATE = '$hw/events/device/default/boiler/state/update';
const BRIEF = { grace: ms(1200), startGrace: ms(3000), signEvery: ms(2000) };

/** A node that knows the devices, with somebody who listens. */
async function settled(world: EdgeWorld, devices: readonly DeviceDefinition[] = [BOILER]): Promise<Heard> {
  world.presence = BRIEF;
  await world.startEdge();
  const heard = await world.listener();
  for (const device of devices) await world.put(device);
  for (const { name } of devices) await heard.first(`$skerry/mapper/modbus/default/${name}`);
  return heard;
}

/** Debian's clients, which know nothing of us; ended with the test at the latest. */
class Mosquitto implements Disposable {
  readonly #child: ChildProcess;

  constructor(world: EdgeWorld, program: 'mosquitto_pub' | 'mosquitto_sub', ...args: string[]) {
    const { hostname, port } = new URL(world.edge?.addresses.mqtt ?? '');
    const address = ['-h', hostname, '-p', port, '-V', 'mqttv311'];
    this.#child = spawn(program, [...address, ...args], { stdio: ['pipe', 'ignore', 'inherit'] });
  }

  get isRunning(): boolean {
    return this.#child.exitCode === null;
  }

  say(line: string): void {
    this.#child.stdin?.write(`${line}\n`);
  }

  /** Without a goodbye. */
  [Symbol.dispose](): void {
    this.#child.kill('SIGKILL');
  }
}

async function stateEvents(world: EdgeWorld, device = 'boiler') {
  return (await world.upEvents()).filter((event) => event.kind === 'state' && event.device.name === device);
}

const states = (heard: Heard): (string | undefined)[] =>
  heard.on(RESULT).map(({ payload }) => (JSON.parse(payload) as { device: { state?: string } }).device.state);

void test('a device is online while its own client is connected, and offline when that is killed; the cloud learns why, and since when', async () => {
  await using world = await EdgeWorld.open();
  const heard = await settled(world);
  {
    using client = new Mosquitto(world, 'mosquitto_sub', '-i', 'boiler', '-t', 'nothing');
    assert.ok(client.isRunning);
    const online = await heard.first(RESULT, '"online"');
    assert.match(JSON.stringify(online), /"lastOnlineTime":"2/);
  }
  const killedAt = Date.now();
  const offline = await heard.first(RESULT, '"offline"');
  assert.deepEqual(offline['device'], { name: 'boiler', state: 'offline' }, 'no lastOnlineTime, as in KubeEdge');

  const events = await waitUntil('both facts', async () => {
    const found = await stateEvents(world);
    return found.length === 2 ? found : undefined;
  });
  assert.deepEqual(
    events.map(({ value, cause, version }) => [value, cause, version.n]),
    [
      ['online', 'connected', 1],
      ['offline', 'client-gone', 2],
    ],
  );
  const { seenAt = 0, receivedAt } = events[1] ?? assert.fail();
  assert.ok(Math.abs(seenAt - killedAt) < 1000 && receivedAt - seenAt >= BRIEF.grace, 'last seen before the grace');
});

void test('a client that connects again at once, and one that is replaced, make no change of state', async () => {
  await using world = await EdgeWorld.open();
  const heard = await settled(world);
  for (let time = 0; time < 4; time += 1) {
    using client = new Mosquitto(world, 'mosquitto_sub', '-i', 'default/boiler', '-t', 'nothing');
    assert.ok(client.isRunning);
    const device = await world.client({ clientId: 'default/boiler', reconnectPeriod: 0 });
    device.stream.destroy();
  }
  await heard.first(RESULT, '"offline"');
  assert.deepEqual(states(heard), ['online', 'offline']);
});

void test('the will of a killed client is a state update like any other, and the device speaks for itself again afterwards', async () => {
  await using world = await EdgeWorld.open();
  const heard = await settled(world);
  const will = ['--will-topic', STATE_UPDATE, '--will-payload', '{"state":"Offline"}', '--will-qos', '1'];
  {
    using client = new Mosquitto(world, 'mosquitto_pub', '-l', '-q', '1', '-t', UPDATE, ...will);
    client.say(report('count', 1));
    await heard.first(RESULT.replace('state/update', 'twin/update'), '"count"');
  }
  await heard.first(RESULT, '"Offline"');
  await waitUntil('the state in the stream', async () => (await stateEvents(world)).at(-1)?.value === 'Offline');

  const device = await world.client();
  await device.publishAsync(UPDATE, report('count', 1), QOS1);
  await waitUntil('the device to be online', async () => (await stateEvents(world)).at(-1)?.value === 'online');
  const values = (await stateEvents(world)).map(({ value }) => value);
  assert.deepEqual(values, ['online', 'Offline', 'online'], 'its connection says nothing that the will had not');
});

void test('who spoke for one device is its client when lost; who says goodbye after each report says nothing', async () => {
  await using world = await EdgeWorld.open();
  const heard = await settled(world);
  const passing = await world.client();
  await passing.publishAsync(UPDATE, report('count', 1), QOS1);
  await passing.endAsync();
  {
    using client = new Mosquitto(world, 'mosquitto_pub', '-l', '-q', '1', '-t', UPDATE);
    client.say(report('count', 2));
    await waitUntil('the report', async () => (await world.reported('count')).includes('2'));
  }
  await heard.first(RESULT, '"offline"');
  const events = await waitUntil('the facts', async () => {
    const found = await stateEvents(world);
    return found.at(-1)?.value === 'offline' ? found : undefined;
  });
  assert.deepEqual(
    events.map(({ cause }) => cause),
    [undefined, 'client-gone'],
  );
});

void test('the devices of a lost mapper are unknown until it reports again', async () => {
  await using world = await EdgeWorld.open();
  const PUMP = { ...BOILER, name: 'pump', uid: 'uid-2' };
  const heard = await settled(world, [BOILER, PUMP]);
  const mapper = await world.client({ reconnectPeriod: 0 });
  for (const name of ['boiler', 'pump'])
    await mapper.publishAsync(UPDATE.replace('boiler', name), report('count', 1), QOS1);
  mapper.stream.destroy();
  await heard.first(RESULT, '"unknown"');
  await heard.first(RESULT.replace('boiler', 'pump'), '"unknown"');

  const back = await world.client();
  await back.publishAsync(UPDATE, report('count', 1), QOS1);
  await waitUntil('the boiler to be online', async () => (await stateEvents(world)).at(-1)?.value === 'online');
  await waitUntil('local listeners to hear it', () => states(heard).at(-1) === 'online');
  assert.deepEqual(states(heard), ['online', 'unknown', 'online']);
  assert.equal((await stateEvents(world, 'pump')).at(-1)?.value, 'unknown');
});

void test('a device that may be silent for so long is unknown after that, and online with its next word', async () => {
  await using world = await EdgeWorld.open();
  const heard = await settled(world, [{ ...BOILER, staleAfter: 2000 }]);
  const device = await world.client();
  const begun = Date.now();
  await device.publishAsync(UPDATE, report('count', 1), QOS1);
  await device.endAsync();
  await heard.first(RESULT, '"unknown"');
  assert.ok(Date.now() - begun >= 1000, 'not before its time');
  const fact = await waitUntil('the fact', async () =>
    (await stateEvents(world)).find(({ cause }) => cause === 'silence'),
  );
  assert.ok((fact.seenAt ?? 0) - begun < 1000, 'seen when it spoke, not when it was missed');

  const again = await world.client();
  await again.publishAsync(UPDATE, report('count', 1), QOS1);
  await waitUntil('the device to be online', async () => (await stateEvents(world)).at(-1)?.value === 'online');
});

void test('a node that restarts gives the clients that were connected time to come back, and misses those that do not', async () => {
  await using world = await EdgeWorld.open();
  const PUMP = { ...BOILER, name: 'pump', uid: 'uid-2' };
  const heard = await settled(world, [BOILER, PUMP]);
  const devices = {
    boiler: await world.client({ clientId: 'boiler' }),
    pump: await world.client({ clientId: 'pump' }),
  };
  for (const name of ['boiler', 'pump']) await heard.first(RESULT.replace('boiler', name), '"online"');
  const port = Number(new URL(world.edge?.addresses.mqtt ?? '').port);
  const { edge } = world;
  // Until the twins name their clients.
  await waitUntil('a look around', async () => edge !== undefined && (await stateEvents(world)).length === 1);
  devices.pump.options.reconnectPeriod = 0;
  await world.stopEdge();
  await world.startEdge(port);

  await waitUntil(
    'the pump to be missed',
    async () => (await stateEvents(world, 'pump')).at(-1)?.value === 'offline',
    10_000,
  );
  const ofBoiler = (await stateEvents(world)).map(({ value }) => value);
  assert.deepEqual(ofBoiler, ['online'], 'it was never away');
});
