import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { test } from 'node:test';
import { AdminServer } from '../../../src/cloud/admin/admin-server.ts';
import { hubMetrics } from '../../../src/cloud/admin/hub-metrics.ts';
import { Deadline } from '../../../src/kit/deadline.ts';
import { silentLogger } from '../../../src/kit/logger.ts';
import { seconds } from '../../../src/kit/units.ts';

async function started(host = '127.0.0.1'): Promise<AdminServer & AsyncDisposable> {
  const server = new AdminServer(
    { host, port: 0 },
    {
      ...{
        parts: () => [],
        metrics: hubMetrics({
          leads: () => true,
          setAside: () => 3,
          joinRefusals: () => new Map(),
          natsRefusals: () => ({}),
          forged: () => ({}),
          parts: () => [],
        }),
        status: () => ({ poison: { setAside: 3 } }),
        logger: silentLogger,
      },
    },
  );
  await server.start(new AbortController().signal);
  return Object.assign(server, { [Symbol.asyncDispose]: () => server.stop(Deadline.after(seconds(2))) });
}

/** The status line's code for a request that `fetch` would tidy up before sending. */
async function statusOf(server: AdminServer, path: string, host: string): Promise<number> {
  const socket = connect(Number(new URL(server.url).port), '127.0.0.1');
  socket.end(`GET ${path} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`);
  const [answer] = (await once(socket, 'data')) as [Buffer];
  socket.destroy();
  return Number(answer.toString().split(' ', 2)[1]);
}

test('a request whose path is no path is refused and ends nothing', async () => {
  await using server = await started();

  assert.equal(await statusOf(server, '//', 'localhost'), 400);
  assert.equal(await statusOf(server, 'http://[', 'localhost'), 400);

  assert.equal((await fetch(`${server.url}/healthz`)).status, 200);
});

test('a request under the name of somebody else is refused', async () => {
  await using server = await started();

  assert.equal(await statusOf(server, '/readyz', 'rebound.example:80'), 421);
  for (const host of ['localhost:1', '127.0.0.1', '[::1]:8443', '192.0.2.7'])
    assert.equal(await statusOf(server, '/readyz', host), 200, host);
});

test('the address of a server on IPv6 is a URL', async () => {
  await using server = await started('::1');

  assert.equal((await fetch(`${server.url}/healthz`)).status, 200);
});

test('what else there is to know of the hub is told', async () => {
  await using server = await started();

  assert.deepEqual(await (await fetch(`${server.url}/status`)).json(), { poison: { setAside: 3 } });
});

test('a scraper gets numbers in the form that it reads', async () => {
  await using server = await started();

  const answer = await fetch(`${server.url}/metrics`);

  assert.match(answer.headers.get('content-type') ?? '', /^text\/plain; version=0\.0\.4/);
  assert.match(await answer.text(), /^skerry_hub_poison_messages_total 3$/m);
});
