// The link against servers that misbehave: it never gives up, and notices silence.
import assert from 'node:assert/strict';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { test } from 'node:test';
import { Deadline } from '../../../src/kit/deadline.ts';
import { silentLogger } from '../../../src/kit/logger.ts';
import { seconds } from '../../../src/kit/units.ts';
import { NatsLink } from '../../../src/nats/nats-link.ts';
import type { NatsAccess } from '../../../src/wire/node-identity.ts';
import { startNats } from '../../support/nats-server.ts';
import { waitUntil } from '../../support/wait-until.ts';

const SECOND = { user: 'second', password: 'other' };
const NEVER = new AbortController().signal;

function linkTo(access: NatsAccess): NatsLink {
  return linkWith(() => access);
}

function linkWith(credentials: () => NatsAccess): NatsLink {
  return new NatsLink({ credentials, clientName: 'test', inboxPrefix: '_INBOX' }, { logger: silentLogger });
}

void test('a connection that ends while the link is still asking its first question is followed by another', async (t) => {
  let connections = 0;
  const server = createServer((socket: Socket) => {
    connections += 1;
    let pings = 0;
    socket.write('INFO {"server_id":"x","version":"2.9.10","proto":1,"max_payload":1048576,"headers":true}\r\n');
    socket.on('data', (data) => {
      pings += data.toString().split('PING\r\n').length - 1;
      // The handshake's ping is answered; the flush's is not.
      if (pings === 1) socket.write('PONG\r\n');
      else if (pings > 1) socket.destroy();
    });
    socket.on('error', () => socket.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const link = linkTo({ url: `nats://127.0.0.1:${(server.address() as AddressInfo).port}`, user: 'u', password: 'p' });
  t.after(async () => {
    await link.stop(Deadline.after(seconds(2)));
    server.close();
  });

  await link.start(NEVER);

  await waitUntil('a third connection', () => connections >= 3);
  assert.equal(link.connected, false);
});

void test('a server that falls silent without closing is noticed, and found again when it speaks', async (t) => {
  await using nats = await startNats();
  const link = linkTo(nats);
  t.after(() => link.stop(Deadline.after(seconds(2))));
  await link.start(NEVER);
  await waitUntil('the link', () => link.connected);

  process.kill(nats.pid, 'SIGSTOP');
  try {
    await waitUntil('the silence to be noticed', () => !link.connected);
  } finally {
    process.kill(nats.pid, 'SIGCONT');
  }

  await waitUntil('the link again', () => link.connected);
});

void test('while there is no link, nothing is published and nobody is told otherwise', async () => {
  const link = linkTo({ url: 'nats://127.0.0.1:9', user: 'u', password: 'p' });

  assert.equal(link.publish('a', new Uint8Array()), false);
  await assert.rejects(link.request('a', new Uint8Array()), { code: 'NATS_UNAVAILABLE' });
});

void test('a reconnect takes the credentials of that moment, and the server has what was published before it', async (t) => {
  await using nats = await startNats([{ ...SECOND, permissions: { publish: ['said'], subscribe: ['>'] } }]);
  let access: NatsAccess = nats;
  const link = linkWith(() => access);
  t.after(() => link.stop(Deadline.after(seconds(2))));
  const heard: string[] = [];
  const listener = linkTo(nats);
  listener.subscribe('said', (message) => heard.push(Buffer.from(message.data).toString()));
  t.after(() => listener.stop(Deadline.after(seconds(2))));
  await Promise.all([link.start(NEVER), listener.start(NEVER)]);
  await waitUntil('both links', () => link.connected && listener.connected);

  access = { url: nats.url, ...SECOND };
  link.publish('said', Buffer.from('before'));
  await link.reconnect();
  await waitUntil('what was published before', () => heard.includes('before'));
  const forbidden: string[] = [];
  link.onForbidden((subject) => forbidden.push(subject));
  await waitUntil('the rights of the second user', () => {
    link.publish('kept.from.the.second', new Uint8Array());
    return forbidden.includes('kept.from.the.second');
  });
});
