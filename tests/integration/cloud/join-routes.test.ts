// Joining and renewing at their routes, over records in a real Kubernetes API.
import assert from 'node:assert/strict';
import { generateKeyPairSync, sign, verify, type KeyObject } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import type { HttpAnswer } from '../../../src/cloud/admin/http-route.ts';
import { Joining } from '../../../src/cloud/joining.ts';
import { JoinRecords } from '../../../src/cloud/join/join-records.ts';
import { JoinRoutes } from '../../../src/cloud/join/join-routes.ts';
import { NodeDoor } from '../../../src/cloud/join/node-door.ts';
import { KubeClient } from '../../../src/cloud/kubernetes/kube-client.ts';
import { Deadline } from '../../../src/kit/deadline.ts';
import { silentLogger } from '../../../src/kit/logger.ts';
import { seconds } from '../../../src/kit/units.ts';
import { createKubeApi, type KubeApi } from '../../../src/kube-api/kube-api.ts';
import { JOIN_PATHS, parseJoinToken, sentOfToken, signedOfRenewal } from '../../../src/wire/join-messages.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { tempDir, type TempDir } from '../../support/temp-dir.ts';

const CERTIFICATE = `-----BEGIN CERTIFICATE-----
CA_PEM
-----END CERTIFICATE-----
`;

/** A node as the hub sees it: a name, and a key that it holds. */
class Node {
  readonly name: string;
  readonly publicKey: string;
  readonly #key: KeyObject;

  constructor(name: string) {
    const pair = generateKeyPairSync('ed25519');
    this.name = name;
    this.#key = pair.privateKey;
    this.publicKey = `U${pair.publicKey.export({ type: 'spki', format: 'der' }).toString('hex')}`;
  }

  sign(bytes: Uint8Array): string {
    return sign(null, bytes, this.#key).toString('base64url');
  }
}

function verifies(publicKey: string, bytes: Uint8Array, signature: Uint8Array): boolean {
  const key = { key: Buffer.from(publicKey.slice(1), 'hex'), format: 'der', type: 'spki' } as const;
  return verify(null, bytes, key, signature);
}

class Hub implements AsyncDisposable {
  readonly clock: ManualClock;
  readonly joining: Joining;
  readonly routes: JoinRoutes;
  readonly #kube: KubeApi;
  readonly #client: KubeClient;
  readonly #dir: TempDir;

  private constructor(dir: TempDir, kube: KubeApi) {
    this.#dir = dir;
    this.#kube = kube;
    this.#client = KubeClient.fromFile(kube.kubeconfigFile);
    this.clock = new ManualClock(Date.parse('2026-05-01T12:00:00Z'));
    const [clock, logger, client] = [this.clock, silentLogger, this.#client];
    this.joining = new Joining(client, { clock });
    const door = new NodeDoor({
      records: new JoinRecords({ client }),
      mint: (node, publicKey, expiresAt) => `jwt of ${node} ${publicKey} until ${expiresAt.toISOString()}`,
      ca: () => CERTIFICATE,
      natsUrl: (host) => `tls://${host}:4222`,
      isLocalNode: (node) => node === 'local',
      isUserKey: (text) => /^U[0-9a-f]+$/.test(text),
      verify: verifies,
      clock,
      logger,
    });
    this.routes = new JoinRoutes({ door, ca: () => CERTIFICATE, clock, logger });
  }

  static async start(): Promise<Hub> {
    const dir = await tempDir();
    const kube = createKubeApi(
      { dataDir: join(dir.path, 'hub'), host: '127.0.0.1', port: 0 },
      { logger: silentLogger },
    );
    await kube.start(new AbortController().signal);
    const hub = new Hub(dir, kube);
    const pem = kubeCertificate(await readFile(kube.kubeconfigFile, 'utf8'));
    await new JoinRecords({ client: hub.#client }).showAuthority(pem);
    return hub;
  }

  /** What is sent of a new token. */
  async token(wanted: { uses?: number; ttl?: number; nodePattern?: string } = {}): Promise<string> {
    const { uses = 1, ttl = 3600, nodePattern } = wanted;
    const pattern = nodePattern === undefined ? {} : { nodePattern };
    const { token } = await this.joining.createToken({ uses, ttl: seconds(ttl), ...pattern });
    const parsed = parseJoinToken(token);
    assert.ok(parsed);
    return sentOfToken(parsed);
  }

  async ask(path: string, body: unknown, remoteAddress = '192.0.2.1'): Promise<HttpAnswer & { body: Told }> {
    const route = this.routes.routes.find((each) => each.path === path);
    assert.ok(route);
    const answer = await route.handle({ body, remoteAddress, isTls: true, localHost: 'hub.example' });
    return { ...answer, body: answer.body as Told };
  }

  async join(node: Node, token: string, changes: object = {}): Promise<Told & { status: number }> {
    const asked = { node: node.name, token, publicKey: node.publicKey, time: this.clock.now(), ...changes };
    const { status, body } = await this.ask(JOIN_PATHS.join, asked);
    return { status, ...body };
  }

  async renew(node: Node, changes: object = {}): Promise<Told & { status: number }> {
    const who = { node: node.name, publicKey: node.publicKey };
    const { challenge = '' } = (await this.ask(JOIN_PATHS.challenge, who)).body;
    const signature = node.sign(signedOfRenewal({ ...who, challenge }));
    const { status, body } = await this.ask(JOIN_PATHS.renew, { ...who, challenge, signature, ...changes });
    return { status, ...body };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#client.close();
    await this.#kube.stop(Deadline.after(seconds(5)));
    await this.#dir[Symbol.asyncDispose]();
  }
}

const kubeCertificate = (kubeconfig: string): string =>
  Buffer.from(/certificate-authority-data: (\S+)/.exec(kubeconfig)?.[1] ?? '', 'base64').toString();

interface Told {
  readonly error?: string;
  readonly message?: string;
  readonly jwt?: string;
  readonly challenge?: string;
  readonly ca?: string;
  readonly expiresAt?: number;
  readonly nats?: { readonly url: string };
}

void test('a token gives a node a JWT of its own for a day, the authority, and the address by which it came', async () => {
  await using hub = await Hub.start();
  const node = new Node('plant-1');
  const told = await hub.join(node, await hub.token());
  const until = hub.clock.now() + 24 * 3600 * 1000;
  assert.equal(told.status, 200);
  assert.equal(told.jwt, `jwt of plant-1 ${node.publicKey} until ${new Date(until).toISOString()}`);
  assert.deepEqual([told.ca, told.expiresAt, told.nats?.url], [CERTIFICATE, until, 'tls://hub.example:4222']);
});

void test('the authority is shown to everybody, as the text of its certificate', async () => {
  await using hub = await Hub.start();
  const { status, text } = await hub.ask(JOIN_PATHS.ca, undefined);
  assert.deepEqual([status, text], [200, CERTIFICATE]);
});

void test('a node whose answer was lost asks again with the token that it has used up', async () => {
  await using hub = await Hub.start();
  const [node, token] = [new Node('plant-1'), await hub.token()];
  const first = await hub.join(node, token);
  assert.deepEqual(await hub.join(node, token), first);
});

void test('each wrong token is refused with the reason that helps, and nothing changes', async () => {
  await using hub = await Hub.start();
  const [node, other] = [new Node('plant-1'), new Node('plant-2')];
  const used = await hub.token();
  await hub.join(other, used);
  const short = await hub.token({ ttl: 60 });
  const elsewhere = await hub.token({ nodePattern: 'shop-*' });
  const good = await hub.token();
  hub.clock.advance(seconds(61));

  const cases: readonly (readonly [string, string, RegExp])[] = [
    [`${good}x`, 'JOIN_TOKEN_UNKNOWN', /made at another hub/],
    ['0123456789ab.secret', 'JOIN_TOKEN_UNKNOWN', /token create/],
    ['../../nodes.secret', 'JOIN_TOKEN_UNKNOWN', /token create/],
    [used, 'JOIN_TOKEN_USED_UP', /good for one node/],
    [short, 'JOIN_TOKEN_EXPIRED', /expired at 2026-05-01T12:01:00Z/],
    [elsewhere, 'JOIN_TOKEN_NODE', /named shop-\*/],
  ];
  for (const [token, code, message] of cases) {
    const told = await hub.join(node, token);
    assert.equal(told.error, code);
    assert.match(told.message ?? '', message);
    assert.ok(told.status >= 400 && told.status < 500);
  }
  assert.deepEqual(
    (await hub.joining.nodes()).map((each) => each.node),
    ['plant-2'],
  );
  assert.equal(hub.routes.refusals.get('JOIN_TOKEN_UNKNOWN'), 3);
});

void test('a node whose clock is wrong hears by how much, and its token is not used', async () => {
  await using hub = await Hub.start();
  const [node, token] = [new Node('plant-1'), await hub.token()];
  const told = await hub.join(node, token, { time: hub.clock.now() - 17 * 60_000 });
  assert.equal(told.error, 'JOIN_CLOCK_OFF');
  assert.match(told.message ?? '', /17 minutes behind/);
  assert.equal((await hub.join(node, token)).status, 200);
});

void test('a name that is taken, by another key or by a node of this machine, costs no use of the token', async () => {
  await using hub = await Hub.start();
  await hub.join(new Node('plant-1'), await hub.token());
  const token = await hub.token();
  assert.equal((await hub.join(new Node('plant-1'), token)).error, 'JOIN_NAME_TAKEN');
  assert.equal((await hub.join(new Node('local'), token)).error, 'JOIN_NAME_LOCAL');
  assert.equal((await hub.join(new Node('plant-2'), token)).status, 200);
});

void test('a body that is no request, a name that no node can have and a key that is none are refused', async () => {
  await using hub = await Hub.start();
  const [node, token] = [new Node('plant-1'), await hub.token()];
  for (const body of [undefined, [], 'x', { node: 'plant-1' }])
    assert.equal((await hub.ask(JOIN_PATHS.join, body)).body.error, 'JOIN_REQUEST_INVALID');
  for (const name of ['*', '>', 'a b', 'skerry.*', '../x', 'A', 'a'.repeat(201)])
    assert.equal((await hub.join(node, token, { node: name })).error, 'JOIN_NAME_INVALID', name);
  assert.equal((await hub.join(node, token, { publicKey: 'SUSEED' })).error, 'JOIN_KEY_INVALID');
});

void test('the key of a node renews, after any time, and no other key and no old challenge does', async () => {
  await using hub = await Hub.start();
  const node = new Node('plant-1');
  await hub.join(node, await hub.token());
  hub.clock.advance(seconds(8 * 24 * 3600));

  assert.equal((await hub.renew(node)).status, 200);
  assert.equal((await hub.renew(new Node('plant-1'))).error, 'NODE_NOT_JOINED');
  const stolen = { signature: new Node('plant-1').sign(Buffer.from('anything')) };
  assert.equal((await hub.renew(node, stolen)).error, 'RENEWAL_PROOF_INVALID');
  const old =
    (await hub.ask(JOIN_PATHS.challenge, { node: 'plant-1', publicKey: node.publicKey })).body.challenge ?? '';
  hub.clock.advance(seconds(61));
  const signature = node.sign(signedOfRenewal({ node: 'plant-1', publicKey: node.publicKey, challenge: old }));
  assert.equal((await hub.renew(node, { challenge: old, signature })).error, 'RENEWAL_PROOF_INVALID');
});

void test('a revoked node gets in by no way until its name is released, and then only with a new key and token', async () => {
  await using hub = await Hub.start();
  const [node, token] = [new Node('plant-1'), await hub.token({ uses: 2 })];
  await hub.join(node, token);
  await hub.joining.revokeNode('plant-1');

  assert.equal((await hub.renew(node)).error, 'NODE_REVOKED');
  assert.equal((await hub.join(node, token)).error, 'NODE_REVOKED');
  assert.equal((await hub.join(new Node('plant-1'), token)).error, 'NODE_REVOKED');
  await hub.joining.releaseNode('plant-1');
  assert.equal((await hub.join(node, token)).error, 'JOIN_KEY_REVOKED');
  assert.equal((await hub.renew(node)).error, 'NODE_NOT_JOINED');
  assert.equal((await hub.join(new Node('plant-1'), token)).status, 200);
});

void test('who fails again and again must wait, and others need not', async () => {
  await using hub = await Hub.start();
  const node = new Node('plant-1');
  const asked = { node: node.name, token: 'a.b', publicKey: node.publicKey, time: hub.clock.now() };
  for (let attempt = 0; attempt < 60; attempt += 1) await hub.ask(JOIN_PATHS.join, asked);
  const { status, body } = await hub.ask(JOIN_PATHS.join, asked);
  assert.deepEqual([status, body.error], [429, 'JOIN_TOO_MANY']);
  assert.equal((await hub.ask(JOIN_PATHS.join, asked, '192.0.2.2')).body.error, 'JOIN_TOKEN_UNKNOWN');
});

void test('while Kubernetes is away nodes hear that the hub cannot look, not what is wrong there, and lose no attempt', async () => {
  const hub = await Hub.start();
  const [node, token] = [new Node('plant-1'), await hub.token()];
  await hub[Symbol.asyncDispose]();
  for (let attempt = 0; attempt < 61; attempt += 1) {
    const told = await hub.join(node, token);
    assert.deepEqual([told.status, told.error], [503, 'JOIN_NOT_NOW']);
    assert.doesNotMatch(told.message ?? '', /127\.0\.0\.1|secrets/);
  }
});
