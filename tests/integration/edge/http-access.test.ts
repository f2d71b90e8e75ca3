// Who may ask an edge node what over HTTP and HTTPS, from this machine and, by its address on the network, as if from another.
import assert from 'node:assert/strict';
import { chmod, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { ask, certificateFor } from '../../support/https.ts';
import { valueOf } from '../../support/metrics.ts';
import { outsideAddress } from '../../support/outside-address.ts';
import { runProgram, startProgram, type Program } from '../../support/program.ts';
import { modeOf } from '../../support/secrets.ts';
import { tempDir } from '../../support/temp-dir.ts';

const CREDENTIALS = '{"node":"n","nats":{"url":"nats://127.0.0.1:9","user":"n","password":"none"}}';

class OpenNode implements AsyncDisposable {
  readonly edge: Program;
  readonly ca: string;
  readonly token: string;
  readonly #dir: AsyncDisposable;

  private constructor(parts: { edge: Program; ca: string; token: string; dir: AsyncDisposable }) {
    this.edge = parts.edge;
    this.ca = parts.ca;
    this.token = parts.token;
    this.#dir = parts.dir;
  }

  static async start(): Promise<OpenNode> {
    const dir = await tempDir();
    const files = ['credentials.json', 'http.crt', 'http.key'].map((name) => join(dir.path, name));
    const [credentials = '', cert = '', key = ''] = files;
    const pair = await certificateFor(outsideAddress());
    for (const [file, text] of [
      [credentials, CREDENTIALS],
      [cert, pair.certificate],
      [key, pair.key],
    ] as const)
      await writeFile(file, text, { mode: 0o600 });
    const data = join(dir.path, 'edge');
    const sockets = ['--mqtt', '127.0.0.1:0', '--mqtt-ws', 'off', '--http', '0.0.0.0:0'];
    const edge = await startProgram([
      ...['edge', '--data-dir', data, '--credentials', credentials, ...sockets],
      ...['--http-cert', cert, '--http-key', key],
    ]);
    const token = (await readFile(join(data, 'http-token'), 'utf8')).trim();
    assert.equal(await modeOf(join(data, 'http-token')), 0o600);
    return new OpenNode({ edge, ca: pair.ca, token, dir });
  }

  get inside(): string {
    return this.edge.text('http');
  }

  get outside(): string {
    return `https://${outsideAddress()}:${new URL(this.inside).port}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.edge.stop();
    await this.#dir[Symbol.asyncDispose]();
  }
}

const PATHS = ['/readyz', '/status', '/metrics', '/twins', '/twins/default/boiler', '/nothing', '/twins/..%2f..%2fetc'];

void test('beyond loopback everything but /healthz needs TLS and the token, on the node nothing does', async () => {
  await using node = await OpenNode.start();
  const { ca, token } = node;

  for (const path of PATHS) {
    assert.equal((await ask(node.outside, path, { ca })).status, 401, path);
    assert.equal((await ask(node.outside.replace('https:', 'http:'), path)).status, 426, path);
    const headers = { authorization: `Bearer ${token}` };
    const known = (await ask(node.outside, path, { ca, headers })).status;
    assert.equal(known, (await ask(node.inside, path)).status, path);
    assert.notEqual(known, 401, path);
  }
  assert.equal((await ask(node.outside, '/healthz', { ca })).status, 200);
  const wish = { ca, method: 'PUT', body: '1' };
  assert.equal((await ask(node.outside, '/twins/default/boiler/setpoint', wish)).status, 401);
});

void test('who is refused is counted and logged, and a method that is not answered names those that are', async () => {
  await using node = await OpenNode.start();

  await ask(node.outside, '/status', { ca: node.ca, headers: { authorization: 'Bearer guessed' } });
  const { status, headers } = await ask(node.inside, '/twins', { method: 'POST' });

  assert.deepEqual([status, headers.allow, headers['x-content-type-options']], [405, 'GET', 'nosniff']);
  const { text } = await ask(node.inside, '/metrics');
  for (const reason of ['unauthorized', 'method'])
    assert.equal(valueOf(text, `skerry_edge_http_refusals_total{reason="${reason}"}`), 1, reason);
  assert.match(node.edge.log(), /"refusal":"unauthorized".*\/status/);
  assert.doesNotMatch(node.edge.log(), /guessed/);
});

void test('beyond loopback a start without a certificate, or with one that is none, is refused with the way out', async () => {
  await using dir = await tempDir();
  const [credentials, noCert] = [join(dir.path, 'credentials.json'), join(dir.path, 'no.crt')];
  await writeFile(credentials, CREDENTIALS, { mode: 0o600 });
  await writeFile(noCert, 'no certificate');
  const own = ['edge', '--data-dir', join(dir.path, 'edge'), '--credentials', credentials, '--mqtt', '127.0.0.1:0'];
  const start = (...options: string[]) => runProgram([...own, '--http', '0.0.0.0:0', ...options]);

  const none = await start();
  const half = await start('--http-cert', noCert);
  const readable = await start('--http-cert', noCert, '--http-key', noCert);
  await chmod(noCert, 0o600);
  const wrong = await start('--http-cert', noCert, '--http-key', noCert);

  for (const refused of [none, half, readable, wrong]) assert.equal(refused.code, 1, refused.stderr);
  for (const refused of [none, half]) assert.match(refused.stderr, /--http-cert and --http-key/);
  assert.match(readable.stderr, /chmod 600 .*no\.crt/);
  assert.match(wrong.stderr, /--http-cert .*expected the PEM file of a certificate/);
});
