// Somebody between a node and its hub, who shows an authority of his own, or the hub's with a certificate that it never signed.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { fetchCa } from '../../src/edge/identity/hub-door.ts';
import { parseJoinToken } from '../../src/wire/join-messages.ts';
import { issue, makeAuthority } from '../support/openssl.ts';
import { runProgram, startProgram, type Program } from '../support/program.ts';
import { tempDir } from '../support/temp-dir.ts';
import { waitUntil } from '../support/wait-until.ts';

async function startHub(t: TestContext, dir: string): Promise<Program> {
  const listen = ['--http', '127.0.0.1:0', '--nats-listen', '127.0.0.1:0', '--api', '127.0.0.1:0'];
  const hub = await startProgram(['hub', '--data-dir', dir, ...listen]);
  t.after(() => hub.stop());
  return hub;
}

async function token(dir: string): Promise<string> {
  return await waitUntil('a token', async () => {
    const { code, stdout } = await runProgram(['token', 'create', '--data-dir', dir, '--output', 'json']);
    return code === 0 ? (JSON.parse(stdout) as { token: string }).token : undefined;
  });
}

/** Hands out that authority, and keeps what it is sent. */
async function startBetween(
  t: TestContext,
  own: { readonly key: string; readonly certificate: string },
  shown: string,
): Promise<{ url: string; paths: string[] }> {
  const paths: string[] = [];
  const server = createServer({ key: own.key, cert: own.certificate }, (request, response) => {
    paths.push(request.url ?? '');
    response.end(shown);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  return { url: `https://127.0.0.1:${(server.address() as AddressInfo).port}`, paths };
}

void test('a node does not send its token to whoever shows another authority, or the right one without its signature', async (t) => {
  const dir = await tempDir();
  t.after(() => dir[Symbol.asyncDispose]());
  const hub = await startHub(t, join(dir.path, 'hub'));
  const text = await token(join(dir.path, 'hub'));
  const hubUrl = hub.text('http').replace('http:', 'https:');
  const realCa = await fetchCa(hubUrl, parseJoinToken(text)?.pin ?? '', new AbortController().signal);
  const authority = makeAuthority(dir.path, 'other');
  const own = issue(dir.path, authority, 'server', 'localhost');

  for (const shown of [authority.certificate, realCa]) {
    const between = await startBetween(t, own, shown);
    const order = ['--hub', between.url, '--token', text, '--node', 'plant-1'];
    const { code, stdout, stderr } = await runProgram(['edge', '--data-dir', join(dir.path, 'edge'), ...order]);
    assert.equal(code, 1);
    assert.match(stdout + stderr, /another hub, or somebody between this node and the hub \(a man in the middle\)/);
    assert.deepEqual(between.paths, ['/v1/ca']);
  }
  assert.ok(!existsSync(join(dir.path, 'edge', 'identity.json')));
});
