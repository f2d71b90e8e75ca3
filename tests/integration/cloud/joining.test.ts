// Tokens and registrations in a real Kubernetes API, and the commands that change them.
import assert from 'node:assert/strict';
import { createHash, X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { Joining } from '../../../src/cloud/joining.ts';
import { JoinRecords } from '../../../src/cloud/join/join-records.ts';
import { redeem } from '../../../src/cloud/join/join-token.ts';
import { join as joinName } from '../../../src/cloud/join/registration.ts';
import { KubeClient } from '../../../src/cloud/kubernetes/kube-client.ts';
import { SECRETS_PATH } from '../../../src/cloud/kubernetes/secret-records.ts';
import { codeOf } from '../../../src/kit/errors.ts';
import { Deadline } from '../../../src/kit/deadline.ts';
import { silentLogger } from '../../../src/kit/logger.ts';
import { seconds } from '../../../src/kit/units.ts';
import { createKubeApi, type KubeApi } from '../../../src/kube-api/kube-api.ts';
import { parseJoinToken } from '../../../src/wire/join-messages.ts';
import { asObject, type JsonObject } from '../../../src/wire/json.ts';
import { runProgram } from '../../support/program.ts';
import { tempDir, type TempDir } from '../../support/temp-dir.ts';

const NOW = Date.parse('2026-05-01T12:00:00Z');

class Cluster implements AsyncDisposable {
  readonly kube: KubeApi;
  readonly client: KubeClient;
  readonly records: JoinRecords;
  readonly joining: Joining;
  readonly #dir: TempDir;

  private constructor(dir: TempDir, kube: KubeApi) {
    this.#dir = dir;
    this.kube = kube;
    this.client = KubeClient.fromFile(kube.kubeconfigFile);
    this.records = new JoinRecords({ client: this.client });
    this.joining = new Joining(this.client, { clock: { now: () => NOW, monotonic: () => 0 } });
  }

  static async start(): Promise<Cluster> {
    const dir = await tempDir();
    const kube = createKubeApi(
      { dataDir: join(dir.path, 'hub'), host: '127.0.0.1', port: 0 },
      { logger: silentLogger },
    );
    await kube.start(new AbortController().signal);
    return new Cluster(dir, kube);
  }

  /** Any certificate will do: the API server's own authority. */
  async certificate(): Promise<string> {
    const kubeconfig = await readFile(this.kube.kubeconfigFile, 'utf8');
    return Buffer.from(/certificate-authority-data: (\S+)/.exec(kubeconfig)?.[1] ?? '', 'base64').toString();
  }

  async run(...args: readonly string[]): Promise<{ readonly code: number | null; readonly said: JsonObject }> {
    const { code, stdout } = await runProgram([...args, '--kubeconfig', this.kube.kubeconfigFile, '--output', 'json']);
    return { code, said: asObject(JSON.parse(stdout)) ?? {} };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.client.close();
    await this.kube.stop(Deadline.after(seconds(5)));
    await this.#dir[Symbol.asyncDispose]();
  }
}

const refusal = (code: string) => (error: unknown) => codeOf(error) === code;

void test('a token is printed once, names the authority by its key, and is kept as a hash', async () => {
  await using cluster = await Cluster.start();
  const ca = await cluster.certificate();
  await cluster.records.showAuthority(ca);

  const { code, said } = await cluster.run('token', 'create', '--ttl', '30m', '--node-pattern', 'plant-*');

  assert.equal(code, 0);
  const token = parseJoinToken(String(said['token']));
  const key = new X509Certificate(ca).publicKey.export({ type: 'spki', format: 'der' });
  assert.equal(token?.pin, createHash('sha256').update(key).digest('base64url'));
  const { body } = await cluster.client.request({ method: 'GET', path: SECRETS_PATH });
  const kept = JSON.stringify(body).replaceAll(/"[A-Za-z0-9+/=]{40,}"/g, (data) =>
    Buffer.from(data.slice(1, -1), 'base64').toString(),
  );
  assert.ok(kept.includes(token.id));
  assert.ok(!kept.includes(token.secret));
  const listed = await cluster.run('token', 'list');
  assert.ok(!JSON.stringify(listed.said).includes(token.secret));
});

void test('no token is made before a hub has shown its authority, because it could name none', async () => {
  await using cluster = await Cluster.start();
  const { code, said } = await cluster.run('token', 'create');
  assert.equal(code, 1);
  assert.equal(asObject(said['error'])?.['code'], 'AUTHORITY_NOT_FOUND');
});

void test('tokens are listed, oldest first, and a deleted one is gone', async () => {
  await using cluster = await Cluster.start();
  await cluster.records.showAuthority(await cluster.certificate());
  const first = await cluster.joining.createToken({ ttl: seconds(60), uses: 2 });

  const { said } = await cluster.run('token', 'list');
  assert.deepEqual(said['tokens'], [
    { id: first.kept.id, expiresAt: new Date(NOW + 60_000).toISOString(), uses: 2, usesLeft: 2, nodes: [] },
  ]);
  assert.equal((await cluster.run('token', 'delete', first.kept.id)).code, 0);
  assert.deepEqual((await cluster.run('token', 'list')).said['tokens'], []);
  const again = await cluster.run('token', 'delete', first.kept.id);
  assert.equal(asObject(again.said['error'])?.['code'], 'TOKEN_NOT_FOUND');
});

void test('of many nodes that use one token in the same moment, as many join as it has uses', async () => {
  await using cluster = await Cluster.start();
  await cluster.records.showAuthority(await cluster.certificate());
  const { token, kept } = await cluster.joining.createToken({ ttl: seconds(60), uses: 3 });
  const secret = parseJoinToken(token)?.secret ?? '';

  const outcomes = await Promise.allSettled(
    ['a', 'b', 'c', 'd', 'e', 'f'].map((node) =>
      cluster.records.tokens.change(kept.id, (present) => redeem(present, { secret, node, publicKey: node }, NOW)),
    ),
  );

  const refused = outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [codeOf(outcome.reason)] : []));
  assert.deepEqual(refused, ['JOIN_TOKEN_USED_UP', 'JOIN_TOKEN_USED_UP', 'JOIN_TOKEN_USED_UP']);
  assert.equal((await cluster.records.tokens.get(kept.id))?.redeemed.length, 3);
});

void test('a name goes from one key to another by revocation and release, and by nothing else', async () => {
  await using cluster = await Cluster.start();
  const ask = (publicKey: string) =>
    cluster.records.registrations.change('plant-1', (present) =>
      joinName(present, { node: 'plant-1', publicKey }, NOW),
    );
  await ask('U1');

  await assert.rejects(ask('U2'), refusal('JOIN_NAME_TAKEN'));
  const revoked = await cluster.run('node', 'revoke', 'plant-1');
  assert.deepEqual([revoked.code, revoked.said['state']], [0, 'revoked']);
  await assert.rejects(ask('U2'), refusal('NODE_REVOKED'));
  assert.equal((await cluster.run('node', 'release', 'plant-1')).said['state'], 'released');
  await assert.rejects(ask('U1'), refusal('JOIN_KEY_REVOKED'));
  await ask('U2');

  const { said } = await cluster.run('node', 'list');
  const [node] = said['nodes'] as readonly JsonObject[];
  assert.deepEqual([node?.['node'], node?.['state'], node?.['publicKey']], ['plant-1', 'joined', 'U2']);
});

void test('who never joined can be neither revoked nor released', async () => {
  await using cluster = await Cluster.start();
  for (const decision of ['revoke', 'release']) {
    const { code, said } = await cluster.run('node', decision, 'nobody');
    assert.deepEqual([code, asObject(said['error'])?.['code']], [1, 'NODE_UNKNOWN']);
  }
});

void test('a registration that cannot be read is never written over, because it may keep somebody out', async () => {
  await using cluster = await Cluster.start();
  await cluster.records.showAuthority('any');
  const metadata = {
    name: 'skerry-node-plant-1',
    namespace: 'skerry-system',
    labels: { 'skerry.io/node-registration': '' },
  };
  const body = { apiVersion: 'v1', kind: 'Secret', metadata, data: { record: Buffer.from('{}').toString('base64') } };
  const { status } = await cluster.client.request({ method: 'POST', path: SECRETS_PATH, body });
  assert.equal(status, 201);

  const asked = { node: 'plant-1', publicKey: 'U2' };
  const outcome = cluster.records.registrations.change('plant-1', (present) => joinName(present, asked, NOW));

  await assert.rejects(outcome, refusal('KUBE_UNAVAILABLE'));
});
