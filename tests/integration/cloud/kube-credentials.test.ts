import assert from 'node:assert/strict';
import { once } from 'node:events';
import { rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { KubeClient } from '../../../src/cloud/kubernetes/kube-client.ts';
import { KubeCredentials } from '../../../src/cloud/kubernetes/kube-credentials.ts';
import { waitUntil } from '../../support/wait-until.ts';
import { tempDir } from './running-hub.ts';

const kubeconfig = (url: string, dir: string): string => `
current-context: c
clusters: [{ name: c, cluster: { server: "${url}", insecure-skip-tls-verify: true } }]
users: [{ name: u, user: { client-certificate: "${join(dir, 'cert')}", client-key: "${join(dir, 'key')}" } }]
contexts: [{ name: c, context: { cluster: c, user: u } }]
`;

test('the sockets of a certificate that was replaced are closed', async () => {
  const dir = await tempDir();
  const server = createServer((_request, response) => response.end('{}')).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const file = join(dir, 'kubeconfig');
  for (const [name, text] of Object.entries({ kubeconfig: kubeconfig(url, dir), cert: 'one', key: 'k' }))
    await writeFile(join(dir, name), text);
  const credentials = KubeCredentials.load(file);
  const client = new KubeClient(credentials);
  await client.request({ method: 'GET', path: '/' });
  const { agent: old } = await credentials.access();
  await waitUntil('an idle socket', () => Object.keys(old.freeSockets).length === 1);

  await writeFile(join(dir, 'cert'), 'two');
  credentials.expire();
  await client.request({ method: 'GET', path: '/' });

  assert.notEqual((await credentials.access()).agent, old);
  await waitUntil('the old socket to close', () => Object.keys(old.freeSockets).length === 0);
  client.close();
  server.close();
  await rm(dir, { recursive: true });
});
