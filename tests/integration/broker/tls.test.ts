// MQTT over TLS, by itself and under WebSocket, as MQTT.js and Debian's mosquitto clients speak it.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { test, type TestContext } from 'node:test';
import { connect as connectTls } from 'node:tls';
import { connect as connectMqtt, connectAsync, type IClientOptions, type MqttClient } from 'mqtt';
import { AccessControl, BrokerListeners, Certificates, hashPassword } from '../../../broker/index.ts';
import { ms } from '../../../src/kit/units.ts';
import { issue, makeAuthority, type Issued } from '../../support/openssl.ts';
import { tempDir } from '../../support/temp-dir.ts';
import { waitUntil } from '../../support/wait-until.ts';
import { WarningLog } from '../../support/warning-log.ts';
import { mosquitto } from './mosquitto.ts';
import { startLogged, TWIN_UPDATE, type RunningBroker } from './running-broker.ts';

const OF_VALVE = '$hw/events/device/default/valve/twin/update';

interface Site {
  readonly dir: string;
  readonly authority: Issued;
  readonly certificates: Certificates;
  readonly log: WarningLog;
  readonly running: RunningBroker;
  readonly tlsUrl: string;
  readonly wssUrl: string;
}

async function open(t: TestContext, asksClients = true, connectTimeout = ms(10_000)): Promise<Site> {
  const { path: dir, [Symbol.asyncDispose]: remove } = await tempDir();
  const authority = makeAuthority(dir, 'authority');
  const server = issue(dir, authority, 'server', 'first');
  const certificates = new Certificates({ asksClients });
  certificates.take('certificate', server.certificate);
  certificates.take('key', server.key);
  if (asksClients) certificates.take('clientAuthority', authority.certificate);
  const access = new AccessControl();
  access.setUsers(`counter:${await hashPassword('of counter')}`, 'users');
  const log = new WarningLog();
  const running = await startLogged(log, { limits: { connectTimeout } }, { access, certificates, host: '0.0.0.0' });
  t.after(async () => {
    await running.stop();
    await remove();
  });
  const { tls, wss } = running.listeners.addresses;
  const local = (url = ''): string => url.replace('0.0.0.0', '127.0.0.1');
  return { dir, authority, certificates, log, running, tlsUrl: local(tls?.url), wssUrl: local(wss?.url) };
}

async function come(t: TestContext, url: string, options: IClientOptions): Promise<MqttClient> {
  const client = await connectAsync(url, { reconnectPeriod: 0, ...options });
  t.after(() => client.endAsync(true));
  return client;
}

const counterOf = ({ authority }: Site): IClientOptions => ({
  ...{ username: 'counter', password: 'of counter', reconnectPeriod: 0 },
  ca: authority.certificate,
});

void test('mosquitto_pub and MQTT.js get in by TLS and by WebSocket over TLS, and messages of any size get through', async (t) => {
  const site = await open(t, false);
  const web = await come(t, site.wssUrl, counterOf(site));
  const heard: string[] = [];
  web.on('message', (_topic, payload) => heard.push(payload.toString().slice(0, 5)));
  await web.subscribeAsync('news/#', { qos: 1 });
  const wire = await come(t, site.tlsUrl, counterOf(site));

  await wire.publishAsync('news/large', Buffer.alloc(900_000, 'large'), { qos: 1 });
  const { port } = new URL(site.tlsUrl);
  const who = ['--cafile', site.authority.certificateFile, '-u', 'counter', '-P', 'of counter'];
  const sent = mosquitto('mosquitto_pub', Number(port), ...who, '-q', '1', '-t', 'news/small', '-m', 'small');
  assert.equal(await sent.exit, 0, sent.output());

  await waitUntil('both messages', () => heard.length === 2);
  assert.deepEqual(heard, ['large', 'small']);
  assert.ok(!site.log.warnings.join('\n').includes('8883'));
});

void test('a client that shows a certificate is the user that it names, and needs no password', async (t) => {
  const site = await open(t);
  const { certificate: cert, key } = issue(site.dir, site.authority, 'pump', 'plant/pump');
  const pump = await come(t, site.tlsUrl, { ca: site.authority.certificate, cert, key });
  const own = '$hw/events/device/plant/pump/twin/update';
  await pump.publishAsync(own, 'mine', { qos: 1 });

  const cut = new Promise((resolve) => pump.once('close', () => resolve('closed')));
  pump.publish(OF_VALVE, 'forged', { qos: 1 });
  await cut;

  assert.deepEqual(
    site.running.gate.asked.map(({ topic }) => topic),
    [own],
  );
  await come(t, site.wssUrl, { ca: site.authority.certificate, cert, key });
  const asAnother = { ca: site.authority.certificate, cert, key, username: 'counter', password: 'of counter' };
  await assert.rejects(connectAsync(site.tlsUrl, { ...asAnother, reconnectPeriod: 0 }), { code: 5 });
});

void test('a certificate that somebody else signed is refused, counted and said, and so is one who shows none and says nothing', async (t) => {
  const site = await open(t);
  const foreign = makeAuthority(site.dir, 'foreign');
  const { certificate: cert, key } = issue(site.dir, foreign, 'forged', 'counter');
  const forged = { ca: site.authority.certificate, cert, key, reconnectPeriod: 0 };

  for (const url of [site.tlsUrl, site.wssUrl]) {
    const client = connectMqtt(url, forged);
    client.on('error', () => undefined);
    await new Promise((resolve) => client.once('close', () => resolve('closed')));
    assert.equal(client.connected, false);
    client.end(true);
  }
  await assert.rejects(connectAsync(site.tlsUrl, { ca: site.authority.certificate, reconnectPeriod: 0 }), { code: 5 });

  const { refused } = site.running.broker.statistics;
  assert.deepEqual([refused.tls, refused.credentials], [2, 1]);
  assert.match(site.log.warnings.join('\n'), /a connection over TLS is not let in: its certificate is not good/);
});

void test('a new certificate is shown to who comes from then on, one that does not fit to nobody, and who is there stays', async (t) => {
  const site = await open(t, false);
  const client = await come(t, site.tlsUrl, counterOf(site));
  const shown = async (): Promise<unknown> => {
    const socket = connectTls({
      port: Number(new URL(site.tlsUrl).port),
      host: '127.0.0.1',
      ca: site.authority.certificate,
    });
    await once(socket, 'secureConnect');
    const { subject } = socket.getPeerCertificate();
    socket.destroy();
    return subject.CN;
  };
  const next = issue(site.dir, site.authority, 'next', 'second');

  assert.throws(() => site.certificates.take('certificate', next.certificate), { code: 'BROKER_CERTIFICATE_INVALID' });
  assert.equal(await shown(), 'first');
  site.certificates.take('key', next.key);

  assert.equal(await shown(), 'second');
  await client.publishAsync(TWIN_UPDATE, 'still here', { qos: 1 });
});

void test('whoever opens a socket and does not get to CONNECT in time is cut, at every door and however far it got', async (t) => {
  const site = await open(t, false, ms(400));
  const { addresses } = site.running.listeners;
  const ports = [addresses.tcp, addresses.ws, addresses.tls, addresses.wss].map((address) => address?.port ?? 0);
  const silent = ports.map((port) => connect({ port, host: '127.0.0.1' }));
  const [, webPort = 0, tlsPort = 0, wssPort = 0] = ports;
  const halfRequest = connect({ port: webPort, host: '127.0.0.1' });
  halfRequest.write('GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow: ');
  const halfHandshake = connect({ port: tlsPort, host: '127.0.0.1' });
  halfHandshake.write(Buffer.of(0x16, 0x03, 0x01, 0x01));
  const secured = [tlsPort, wssPort].map((port) =>
    connectTls({ port, host: '127.0.0.1', ca: site.authority.certificate }),
  );
  const all = [...silent, halfRequest, halfHandshake, ...secured];
  for (const socket of all) socket.on('error', () => undefined).resume();

  await Promise.all(all.map((socket) => once(socket, 'close')));

  assert.equal(site.running.broker.statistics.refused['connect-timeout'], all.length);
  const client = await come(t, site.tlsUrl, counterOf(site));
  await client.publishAsync(TWIN_UPDATE, 'healthy', { qos: 1 });
});

void test('TLS without a certificate does not start, and names the option', async (t) => {
  const { running } = await open(t, false);
  const listeners = new BrokerListeners(
    { tcp: { host: '127.0.0.1', port: 0 }, tls: { host: '127.0.0.1', port: 0 } },
    { broker: running.broker, logger: new WarningLog() },
  );

  await assert.rejects(listeners.start(new AbortController().signal), { message: /--mqtt-tls needs .*--mqtt-cert/ });
});
