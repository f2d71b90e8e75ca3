// Ways to the topics of another user: by wildcards, wills, retained messages, sessions that are kept, and other clients' ids.
import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { connectAsync, type IClientOptions, type MqttClient } from 'mqtt';
import { AccessControl, hashPassword } from '../../../broker/index.ts';
import { MemorySessions } from '../../support/memory-sessions.ts';
import { waitUntil } from '../../support/wait-until.ts';
import { WarningLog } from '../../support/warning-log.ts';
import { mosquitto } from './mosquitto.ts';
import { startLogged, type RunningBroker } from './running-broker.ts';

const DEVICES = '$hw/events/device';
const PASSWORD = 'a password of all';
const HASH = hashPassword(PASSWORD);

interface Site {
  readonly running: RunningBroker;
  readonly access: AccessControl;
  readonly log: WarningLog;
}

async function open(t: TestContext, acl?: string, storage?: MemorySessions): Promise<Site> {
  const access = new AccessControl();
  const hash = await HASH;
  access.setUsers(`counter:${hash}\nvalve:${hash}\n`, 'users');
  if (acl !== undefined) access.setAcl(acl, 'acl');
  const log = new WarningLog();
  const running = await startLogged(log, {}, { access, storage, host: '0.0.0.0' });
  t.after(() => running.stop());
  return { running, access, log };
}

const optionsOf = (username: string, more: IClientOptions = {}): IClientOptions => ({
  ...{ username, password: PASSWORD, reconnectPeriod: 0 },
  ...more,
});

async function come(t: TestContext, { running }: Site, user: string, more: IClientOptions = {}): Promise<MqttClient> {
  const client = await connectAsync(`mqtt://127.0.0.1:${running.port}`, optionsOf(user, more));
  t.after(() => client.endAsync(true));
  return client;
}

const refused = ({ running }: Site, user: string, more: IClientOptions, code: number): Promise<void> =>
  assert.rejects(connectAsync(`mqtt://127.0.0.1:${running.port}`, optionsOf(user, more)), { code });

/** Messages, once `last` has come on the topic that everybody has. */
async function heardBy(client: MqttClient, site: Site): Promise<readonly string[]> {
  const heard: string[] = [];
  client.on('message', (topic, payload) => heard.push(`${topic} ${payload.toString()}`));
  await client.subscribeAsync('last', { qos: 1 });
  await site.running.broker.publish('last', 'one');
  await waitUntil('the last message', () => heard.includes('last one'));
  return heard.filter((message) => message !== 'last one');
}

const willOn = (topic: string): IClientOptions => ({
  will: { topic, payload: Buffer.from('will'), qos: 1, retain: false },
});

for (const topic of [
  `${DEVICES}/default/valve/state/update`,
  `${DEVICES}/valve/twin/update`,
  '$skerry/mapper/x/default/valve',
])
  void test(`a will on ${topic} keeps its client out`, async (t) => {
    const site = await open(t);

    await refused(site, 'counter', willOn(topic), 5);

    const { denied, refused: reasons } = site.running.broker.statistics;
    assert.deepEqual([denied.will, reasons.forbidden], [1, 1]);
    assert.match(site.log.warnings.join('\n'), /a will on this topic.*"user":"counter"/);
  });

const WORDS = 'user counter\ntopic readwrite words/#\nuser valve\ntopic readwrite #';
const NO_WORDS = 'user counter\ntopic read last\nuser valve\ntopic readwrite #';

for (const [isGranted, acl] of [
  [true, WORDS],
  [false, NO_WORDS],
] as const)
  void test(`a will is ${isGranted ? '' : 'not '}said when its user ${isGranted ? 'still has' : 'has lost'} the right, also by the next process`, async (t) => {
    const storage = new MemorySessions();
    const site = await open(t, WORDS, storage);
    const killed = await come(t, site, 'counter', { clientId: 'killed', ...willOn('words/killed') });
    const left = new MemorySessions(storage.records);
    const next = await open(t, acl, left);
    const hearer = await come(t, site, 'valve');
    const heard: string[] = [];
    hearer.on('message', (_topic, payload) => heard.push(payload.toString()));
    await hearer.subscribeAsync('words/#', { qos: 1 });

    site.access.setAcl(acl, 'acl');
    killed.stream.destroy();

    const { broker } = site.running;
    await waitUntil('the will to be said or denied', () => heard.length + broker.statistics.denied.will === 1);
    assert.deepEqual(heard, isGranted ? ['will'] : []);
    assert.equal(next.running.broker.statistics.denied.will, isGranted ? 0 : 1);
  });

void test('what a session was kept for is withheld from a user who lost the right, and nothing more is kept for it', async (t) => {
  const site = await open(t, 'user counter\ntopic read shared/#\ntopic read last');
  const session = { clientId: 'keeper', clean: false };
  const before = await come(t, site, 'counter', session);
  await before.subscribeAsync('shared/#', { qos: 1 });
  await before.endAsync();
  await site.running.broker.publish('shared/x', 'secret');
  assert.equal(site.running.broker.hasSubscribers('shared/x'), true);

  site.access.setAcl('user counter\ntopic read last', 'acl');
  const after = await come(t, site, 'counter', session);

  assert.deepEqual(await heardBy(after, site), []);
  const { denied, sessions } = site.running.broker.statistics;
  assert.deepEqual([denied.receive, denied.subscribe], [1, 1]);
  assert.equal(sessions?.queuedMessages, 0);
  assert.equal(site.running.broker.hasSubscribers('shared/x'), false);
});

void test('a connected client that may not hear any more what it listens to is cut off, and one that may is not', async (t) => {
  const site = await open(t, 'user counter\ntopic read shared/#\nuser valve\ntopic read shared/#');
  const counter = await come(t, site, 'counter');
  const valve = await come(t, site, 'valve');
  for (const client of [counter, valve]) await client.subscribeAsync('shared/#');
  const cut = new Promise((resolve) => counter.once('close', () => resolve('cut')));

  site.access.setAcl('user counter\ntopic read shared/+/public\nuser valve\ntopic read shared/#', 'acl');

  assert.equal(await cut, 'cut');
  assert.equal(site.running.broker.statistics.ended.rights, 1);
  assert.equal(valve.connected, true);
});

for (const clean of [true, false])
  void test(`a client id, connected or away, is its user's, also after a restart: another ${clean ? 'clean ' : ''}session is refused`, async (t) => {
    const storage = new MemorySessions();
    const site = await open(t, undefined, storage);
    const session = { clientId: 'mine', clean: false };
    const owner = await come(t, site, 'counter', session);
    await owner.subscribeAsync('shared/#', { qos: 1 });

    await refused(site, 'valve', { clientId: 'mine', clean }, 2);
    assert.equal(owner.connected, true);
    await owner.endAsync();
    await refused(site, 'valve', { clientId: 'mine', clean }, 2);
    await site.running.broker.publish('shared/x', 'for counter');
    await site.running.stop();

    const next = await open(t, undefined, new MemorySessions(storage.records));
    await refused(next, 'valve', { clientId: 'mine', clean }, 2);
    assert.equal(next.running.broker.statistics.refused['client-id-taken'], 1);
    const queued = (): number | undefined => next.running.broker.statistics.sessions?.queuedMessages;
    assert.equal(queued(), 1);
    await come(t, next, 'counter', session);
    await waitUntil('its own message to be taken', () => queued() === 0);
    assert.equal(next.running.broker.statistics.denied.receive, 0);
  });

void test('a retained message of another device is neither read by a wildcard nor cleared', async (t) => {
  const site = await open(t);
  const topic = `${DEVICES}/default/valve/twin/update/delta`;
  await site.running.broker.publish(topic, 'of valve', { retain: true });
  const { port } = site.running;
  const who = ['-u', 'counter', '-P', PASSWORD];

  for (const filter of [`${DEVICES}/#`, `${DEVICES}/+/+/twin/update/delta`, '$hw/+/device/default/valve/#', topic]) {
    const spy = mosquitto('mosquitto_sub', port, ...who, '-t', filter, '-t', '#', '-W', '1', '-d');
    await spy.exit;
    assert.ok(!spy.output().includes('of valve'), filter);
  }
  await mosquitto('mosquitto_pub', port, ...who, '-t', topic, '-r', '-n', '-q', '1').exit;

  const valve = mosquitto('mosquitto_sub', port, '-u', 'valve', '-P', PASSWORD, '-t', topic, '-C', '1');
  assert.equal(await valve.exit, 0);
  assert.match(valve.output(), /of valve/);
  assert.deepEqual(site.running.broker.statistics.denied, { publish: 1, subscribe: 4, receive: 0, will: 0 });
});

void test('lines before the first user are for who gives no name', async (t) => {
  const access = new AccessControl();
  access.setAcl('topic read weather\nuser counter\ntopic readwrite #', 'acl');
  await using running = await startLogged(new WarningLog(), {}, { access });
  const anonymous = await connectAsync(`mqtt://127.0.0.1:${running.port}`, { reconnectPeriod: 0 });
  t.after(() => anonymous.endAsync(true));

  await anonymous.subscribeAsync('weather');
  await assert.rejects(anonymous.subscribeAsync('#'));
  const cut = new Promise((resolve) => anonymous.once('close', () => resolve('cut')));
  anonymous.publish('weather', 'sunny');

  assert.equal(await cut, 'cut');
});
