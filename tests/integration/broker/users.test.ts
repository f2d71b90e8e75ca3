// Who gets in, and as whom: MQTT.js and Debian's mosquitto clients at a broker that other machines could reach.
import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { connectAsync, type IClientOptions, type MqttClient } from 'mqtt';
import { AccessControl, hashPassword } from '../../../broker/index.ts';
import { silentLogger } from '../../../src/kit/logger.ts';
import { waitUntil } from '../../support/wait-until.ts';
import { WarningLog } from '../../support/warning-log.ts';
import { mosquitto } from './mosquitto.ts';
import { startLogged, TWIN_UPDATE, type RunningBroker } from './running-broker.ts';

const OF_VALVE = '$hw/events/device/default/valve/twin/update';

const HASHES = new Map<string, Promise<string>>();
const hashOf = (name: string): Promise<string> => {
  const hash = HASHES.get(name) ?? hashPassword(`of ${name}`);
  HASHES.set(name, hash);
  return hash;
};

async function usersNamed(...names: string[]): Promise<string> {
  const lines = await Promise.all(names.map(async (name) => `${name}:${await hashOf(name)}\n`));
  return lines.join('');
}

async function open(log = new WarningLog()): Promise<RunningBroker & { access: AccessControl; log: WarningLog }> {
  const access = new AccessControl();
  access.setUsers(await usersNamed('counter', 'valve'), 'users');
  return Object.assign(await startLogged(log, {}, { access, host: '0.0.0.0' }), { access, log });
}

const as = (name: string): IClientOptions => ({ username: name, password: `of ${name}`, reconnectPeriod: 0 });

async function come(t: TestContext, { port }: RunningBroker, options: IClientOptions): Promise<MqttClient> {
  const client = await connectAsync(`mqtt://127.0.0.1:${port}`, { reconnectPeriod: 0, ...options });
  t.after(() => client.endAsync(true));
  return client;
}

void test('a broker that other machines reach does not start without users, and says the way out', async () => {
  await assert.rejects(startLogged(silentLogger, {}, { host: '0.0.0.0' }), {
    code: 'BROKER_USERS_MISSING',
    message: /--mqtt 0\.0\.0\.0:0 would be open to other machines.*skerry mqtt-user add/,
  });
});

void test('mosquitto_pub gets in with its password, and not without, or with that of another', async () => {
  await using running = await open();
  const { log } = running;
  const say = (...who: string[]): Promise<number | null> =>
    mosquitto('mosquitto_pub', running.port, '-q', '1', '-t', TWIN_UPDATE, '-m', 'x', ...who).exit;

  assert.equal(await say('-u', 'counter', '-P', 'of counter'), 0);
  assert.equal(running.gate.asked.length, 1);
  for (const who of [[], ['-u', 'counter'], ['-u', 'counter', '-P', 'of valve'], ['-u', 'nobody', '-P', 'of counter']])
    assert.notEqual(await say(...who), 0, who.join(' '));

  assert.equal(running.gate.asked.length, 1);
  assert.equal(running.broker.statistics.refused.credentials, 4);
  assert.match(log.warnings.join('\n'), /MQTT is served to other machines without TLS/);
  assert.match(log.warnings.join('\n'), /a client is not let in: its user name and password do not belong together/);
  assert.ok(!log.warnings.join('\n').includes('of valve'), 'a password is in the log');
});

void test('MQTT.js is told by the code whether it lacks a name or has a wrong password', async () => {
  await using running = await open();

  await assert.rejects(connectAsync(`mqtt://127.0.0.1:${running.port}`, { reconnectPeriod: 0 }), { code: 5 });
  const wrong = { ...as('counter'), password: 'guess' };
  await assert.rejects(connectAsync(`mqtt://127.0.0.1:${running.port}`, wrong), { code: 4 });
  await assert.rejects(connectAsync(running.wsUrl.replace('0.0.0.0', '127.0.0.1'), wrong), { code: 4 });
});

void test('a user has its own device and plain topics, and is cut off, counted and named when it speaks for another', async (t) => {
  await using running = await open();
  const { log } = running;
  const counter = await come(t, running, as('counter'));
  await counter.subscribeAsync([`${TWIN_UPDATE}/#`, 'hall/#']);
  for (const filter of [`${OF_VALVE}/#`, '$hw/#', '$share/g/$hw/#'])
    await assert.rejects(counter.subscribeAsync(filter), /Subscribe error/, filter);
  await counter.publishAsync(TWIN_UPDATE, 'mine', { qos: 1 });

  const cut = new Promise((resolve) => counter.once('close', () => resolve('closed')));
  counter.publish(OF_VALVE, 'forged', { qos: 1 });
  await cut;

  assert.deepEqual(
    running.gate.asked.map(({ topic }) => topic),
    [TWIN_UPDATE],
  );
  const { denied, ended } = running.broker.statistics;
  assert.deepEqual(denied, { publish: 1, subscribe: 3, receive: 0, will: 0 });
  assert.equal(ended.forbidden, 1);
  assert.match(log.warnings.join('\n'), /may not publish to this topic.*"user":"counter","topic":"\$hw.*valve/);
});

void test('a user that is removed, or gets another password, is cut off at once; others stay', async (t) => {
  await using running = await open();
  const { access } = running;
  const counter = await come(t, running, as('counter'));
  const valve = await come(t, running, as('valve'));
  let isCut = false;
  counter.once('close', () => (isCut = true));

  access.setUsers(await usersNamed('valve'), 'users');

  await waitUntil('the removed user to be cut off', () => isCut);
  assert.equal(running.broker.statistics.ended.rights, 1);
  await assert.rejects(connectAsync(`mqtt://127.0.0.1:${running.port}`, as('counter')), { code: 4 });
  await valve.publishAsync(OF_VALVE, 'still here', { qos: 1 });
});

void test('on loopback a client needs no name and may do everything, with and without users', async (t) => {
  const access = new AccessControl();
  access.setUsers(await usersNamed('counter'), 'users');
  await using running = await startLogged(silentLogger, {}, { access });
  const anonymous = await come(t, running, {});
  const [all] = await anonymous.subscribeAsync('$hw/#', { qos: 1 });
  await anonymous.publishAsync(OF_VALVE, 'local', { qos: 1 });

  assert.equal(all?.qos, 1);
  await assert.rejects(connectAsync(`mqtt://127.0.0.1:${running.port}`, { ...as('counter'), password: 'x' }), {
    code: 4,
  });
});
