import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo, type Server } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { connect } from 'nats';
import { fullAccess } from '../../../src/cloud/full-access.ts';
import { NodeAdmission } from '../../../src/cloud/admission/node-admission.ts';
import { HubAuthority } from '../../../src/cloud/hub-authority.ts';
import { AccountClaims } from '../../../src/cloud/nats-server/account-claims.ts';
import { ManagedNatsServer, type ManagedNatsServerConfig } from '../../../src/cloud/nats-server/managed-nats-server.ts';
import { Deadline } from '../../../src/kit/deadline.ts';
import { silentLogger } from '../../../src/kit/logger.ts';
import { mebibytes, seconds } from '../../../src/kit/units.ts';
import { readLast } from '../../../src/nats/direct-get.ts';
import { ensureStreams } from '../../../src/nats/jetstream-admin.ts';
import { keyPairFromSeed } from '../../../src/nats/nkeys.ts';
import { connectionOptions } from '../../../src/nats/connection-options.ts';
import { NatsLink } from '../../../src/nats/nats-link.ts';
import { wantedStreams } from '../../../src/nats/stream-plan.ts';
import {
  bucketSubject,
  chainSubject,
  DESIRED_BUCKET,
  DESIRED_STREAM,
  inboxPrefix,
  indexKey,
  UP_STREAM,
} from '../../../src/wire/nats-subjects.ts';
import type { NatsAccess, NatsProof, NodeIdentity } from '../../../src/wire/node-identity.ts';
import { waitUntil } from '../../support/wait-until.ts';
import { tempDir } from './running-hub.ts';
import { stopsByItself } from '../../support/stops.ts';

const NEVER = new AbortController().signal;
const ANY_PORT = { host: '127.0.0.1', port: 0, portAskedFor: true };

class OwnServer implements AsyncDisposable {
  readonly dir: string;
  readonly #authority: HubAuthority;
  readonly claims: AccountClaims;
  server: ManagedNatsServer;
  admission: NodeAdmission;
  readonly #links: NatsLink[] = [];

  constructor(dir: string, config: Omit<ManagedNatsServerConfig, 'dataDir'> = ANY_PORT) {
    this.dir = dir;
    const serverUrl = (): string => this.server.url;
    const tools = { logger: silentLogger, authority: () => this.#authority.current, serverUrl };
    this.#authority = new HubAuthority({ dataDir: dir }, tools);
    this.claims = new AccountClaims({ dataDir: dir }, tools);
    this.server = new ManagedNatsServer(
      { dataDir: dir, ...config },
      {
        logger: silentLogger,
        operator: () => this.claims.operator(),
        certificate: (hosts) => this.#authority.current.issueCertificate({ hosts, commonName: 'nats' }),
      },
    );
    const revocations = () => this.claims.revocations();
    this.admission = new NodeAdmission({ dataDir: dir, localNodes: [] }, { ...tools, revocations });
  }

  async start(): Promise<this> {
    await this.#authority.start(NEVER);
    await this.server.start(NEVER);
    await this.claims.start(NEVER);
    await this.admission.start(NEVER);
    return this;
  }

  async link(proof: NatsProof, prefix: string, url?: string): Promise<NatsLink> {
    const credentials = (): NatsAccess => ({ ...proof, url: url ?? this.server.url });
    const ca = (): string => this.#authority.current.caCertificate;
    const link = new NatsLink({ credentials, ca, clientName: 'test', inboxPrefix: prefix }, { logger: silentLogger });
    await link.start(NEVER);
    this.#links.push(link);
    await waitUntil(`a link with ${prefix}`, () => link.connected, 2000);
    return link;
  }

  /** May do everything in the account. */
  async fullLink(): Promise<NatsLink> {
    return await this.link(await fullAccess(this.dir, this.server.url), '_INBOX_hub');
  }

  async nodeLink(node: string): Promise<NatsLink> {
    const file = await this.admission.admitLocalNode(node);
    const { nats } = JSON.parse(await readFile(file, 'utf8')) as NodeIdentity;
    return await this.link(nats, inboxPrefix(node));
  }

  async stop(): Promise<void> {
    for (const link of this.#links.splice(0)) await link.stop(Deadline.after(seconds(2)));
    await this.claims.stop(Deadline.after(seconds(2)));
    await this.server.stop(Deadline.after(seconds(8)));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    await rm(this.dir, { recursive: true, force: true });
  }
}

const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    // There is no such process.
    return false;
  }
};

async function occupied(port = 0): Promise<{ server: Server; port: number } & AsyncDisposable> {
  const server = createServer().listen(port, '127.0.0.1');
  await once(server, 'listening');
  const close = async (): Promise<void> => {
    server.close();
    await once(server, 'close');
  };
  return { server, port: (server.address() as AddressInfo).port, [Symbol.asyncDispose]: close };
}

test('whoever holds the keys of the account may make its streams', async () => {
  await using own = await new OwnServer(await tempDir()).start();
  const link = await own.fullLink();

  await ensureStreams(link, wantedStreams(mebibytes(16)));

  assert.equal(await readLast(link, UP_STREAM, 'skerry.edge-a.up.twin.default.counter'), undefined);
});

test('nobody connects without a JWT, nor with one of another authority', async () => {
  await using own = await new OwnServer(await tempDir()).start();
  await using other = await new OwnServer(await tempDir()).start();

  await assert.rejects(own.link({ user: 'hub', password: 'guess' }, '_INBOX_hub'));
  await assert.rejects(own.link(await fullAccess(other.dir, other.server.url), '_INBOX_hub'));
});

test('the port is remembered and taken again by the next server', async () => {
  const dir = await tempDir();
  const first = await new OwnServer(dir).start();
  const url = first.server.url;
  await first.stop();

  await using second = await new OwnServer(dir).start();

  assert.equal(second.server.url, url);
});

test('the port of last time is waited for while a killed server still holds it', async () => {
  const dir = await tempDir();
  const first = await new OwnServer(dir).start();
  const port = Number(new URL(first.server.url).port);
  await first.stop();
  const holder = await occupied(port);

  const starting = new OwnServer(dir).start();
  setTimeout(() => void holder[Symbol.asyncDispose](), 300);

  await using second = await starting;
  assert.equal(Number(new URL(second.server.url).port), port);
});

test('a stopped server leaves no process behind', async () => {
  await using own = await new OwnServer(await tempDir()).start();
  const pid = own.server.pid ?? 0;
  assert.ok(isAlive(pid));

  await own.stop();

  // Until this process has taken notice of the end of its child, a zombie answers to the pid.
  await waitUntil('the process to be gone', () => !isAlive(pid));
});

test('a frozen server is gone when the stop is over, well within the deadline', async () => {
  await using own = await new OwnServer(await tempDir()).start();
  const pid = own.server.pid ?? 0;
  process.kill(pid, 'SIGSTOP');

  await stopsByItself(own.server);

  assert.equal(await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => ''), '');
});

test('a server that is killed is started again on the same port and store', async () => {
  await using own = await new OwnServer(await tempDir()).start();
  const link = await own.fullLink();
  await ensureStreams(link, wantedStreams(mebibytes(16)));
  await link.request('skerry.edge-a.up.twin.default.counter', Buffer.from('one'));
  const before = own.server.pid ?? 0;

  process.kill(before, 'SIGKILL');

  await waitUntil('another server', () => own.server.pid !== before && own.server.health().state === 'ok');
  await waitUntil('the link to come back', () => link.connected);
  const kept = await waitUntil('the message', () =>
    readLast(link, UP_STREAM, 'skerry.edge-a.up.twin.default.counter').catch(() => undefined),
  );
  assert.equal(Buffer.from(kept.data).toString(), 'one');
});

test('a server left over from a killed hub is taken over, not doubled', async () => {
  const dir = await tempDir();
  const owner = spawn(process.execPath, [join(import.meta.dirname, 'nats-server-process.js'), dir], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [said] = (await once(owner.stdout, 'data')) as [Buffer];
  const { pid, url } = JSON.parse(said.toString()) as { pid: number; url: string };
  owner.kill('SIGKILL');
  await once(owner, 'exit');
  assert.ok(isAlive(pid));

  await using own = await new OwnServer(dir).start();

  assert.equal(own.server.pid, pid);
  assert.equal(own.server.url, url);
  await own.nodeLink('edge-new');
});

test('a pid file that names another program is not believed', async () => {
  const dir = await tempDir();
  const first = await new OwnServer(dir).start();
  await first.stop();
  await writeFile(join(dir, 'nats', 'nats-server.pid'), String(process.pid));

  await using second = await new OwnServer(dir).start();

  assert.notEqual(second.server.pid, process.pid);
});

test('a port asked for by name and in use is refused, naming the option', async () => {
  await using other = await occupied();
  const own = new OwnServer(await tempDir(), { host: '127.0.0.1', port: other.port, portAskedFor: true });

  await assert.rejects(own.start(), { code: 'NATS_PORT_IN_USE', message: /--nats-listen/ });

  await own[Symbol.asyncDispose]();
});

test('the usual port in use makes the server take a free one', async () => {
  await using other = await occupied();

  await using own = await new OwnServer(await tempDir(), {
    host: '127.0.0.1',
    port: other.port,
    portAskedFor: false,
  }).start();

  assert.notEqual(new URL(own.server.url).port, String(other.port));
});

test('passwords and credentials are readable by their owner only', async () => {
  await using own = await new OwnServer(await tempDir()).start();
  const file = await own.admission.admitLocalNode('edge-a');

  for (const path of [file, join(own.dir, 'nats', 'nats-server.conf'), join(own.dir, 'authority', 'account.seed')])
    assert.equal((await stat(path)).mode & 0o777, 0o600, path);
});

test('a name that Kubernetes would not take for a node is refused', async () => {
  await using own = await new OwnServer(await tempDir()).start();

  await assert.rejects(own.admission.admitLocalNode('Edge_A'), { code: 'NODE_NAME_INVALID' });
  await assert.rejects(own.admission.admitLocalNode('../../etc/passwd'), { code: 'NODE_NAME_INVALID' });
});

test('a node reads and writes its own subjects', async () => {
  await using own = await new OwnServer(await tempDir()).start();
  const hub = await own.fullLink();
  await ensureStreams(hub, wantedStreams(mebibytes(16)));
  const node = await own.nodeLink('edge-a');
  const subject = chainSubject('edge-a', 'twin', { namespace: 'default', name: 'counter' });

  await node.request(subject, Buffer.from('mine'));

  const stored = await readLast(node, UP_STREAM, subject);
  assert.equal(Buffer.from(stored?.data ?? []).toString(), 'mine');
});

test('a node can neither publish as another node nor read what that one has', async () => {
  await using own = await new OwnServer(await tempDir()).start();
  const hub = await own.fullLink();
  await ensureStreams(hub, wantedStreams(mebibytes(16)));
  const node = await own.nodeLink('edge-a');
  await own.nodeLink('edge-b');
  const foreign = chainSubject('edge-b', 'twin', { namespace: 'default', name: 'counter' });
  const secret = bucketSubject(DESIRED_BUCKET, indexKey('edge-b'));
  await hub.request(secret, Buffer.from('secret'));
  const overheard: string[] = [];
  node.subscribe('$KV.>', (message) => overheard.push(message.subject));

  await assert.rejects(node.request(foreign, Buffer.from('forged'), { timeout: seconds(1) }));
  await assert.rejects(readLast(node, DESIRED_STREAM, secret));
  await assert.rejects(
    node.request(`$JS.API.DIRECT.GET.${DESIRED_STREAM}`, Buffer.from(JSON.stringify({ last_by_subj: secret }))),
  );
  await assert.rejects(node.request(`$JS.API.STREAM.INFO.${UP_STREAM}`, new Uint8Array()));
  await hub.request(secret, Buffer.from('secret again'));

  assert.equal(await readLast(hub, UP_STREAM, foreign), undefined);
  assert.deepEqual(overheard, []);
});

test('who is thrown out is cut off, stays out after a restart of the server, and is no reason for others to be', async () => {
  const dir = await tempDir();
  const own = await new OwnServer(dir).start();
  const [out, other] = [await own.nodeLink('edge-a'), await own.nodeLink('edge-b')];
  const { nats } = JSON.parse(await readFile(own.admission.credentialsFile('edge-a'), 'utf8')) as NodeIdentity;
  assert.ok('seed' in nats);

  const key = keyPairFromSeed(nats.seed).publicKey;
  await own.claims.revokeUsers(new Map([[key, Math.floor(Date.now() / 1000)]]));

  await waitUntil('the node to be cut off', () => !out.connected);
  assert.equal(other.connected, true);
  await own.stop();
  await using again = await new OwnServer(dir).start();
  await again.nodeLink('edge-b');
  await assert.rejects(again.link(nats, '_INBOX_edge-a'));
  await assert.rejects(again.nodeLink('edge-a'), 'admitting it again makes no JWT');
});

test('streams from before there were accounts are the account’s', async () => {
  const dir = await tempDir();
  const own = await new OwnServer(dir).start();
  const link = await own.fullLink();
  await ensureStreams(link, wantedStreams(mebibytes(16)));
  await link.request('skerry.edge-a.up.twin.default.counter', Buffer.from('one'));
  await own.stop();
  const folder = join(dir, 'nats', 'store', 'jetstream');
  const [account = ''] = (await readdir(folder)).filter((name) => name.startsWith('A'));
  await rename(join(folder, account), join(folder, '$G'));

  await using again = await new OwnServer(dir).start();

  const kept = await readLast(await again.fullLink(), UP_STREAM, 'skerry.edge-a.up.twin.default.counter');
  assert.equal(Buffer.from(kept?.data ?? []).toString(), 'one');
});

test('a credentials file from the time of passwords becomes one with a key', async () => {
  await using own = await new OwnServer(await tempDir()).start();
  const old = { node: 'edge-a', nats: { url: 'nats://127.0.0.1:1', user: 'node-edge-a', password: 'p' } };
  await mkdir(join(own.dir, 'nodes'), { recursive: true });
  await writeFile(own.admission.credentialsFile('edge-a'), JSON.stringify(old), { mode: 0o600 });

  await own.nodeLink('edge-a');
});

test('beyond this machine it speaks TLS with a certificate of the authority, under every address, and nothing else', async () => {
  await using own = await new OwnServer(await tempDir(), { host: '0.0.0.0', port: 0, portAskedFor: true }).start();
  await using other = await new OwnServer(await tempDir()).start();
  assert.match(own.server.url, /^tls:/);

  const node = await own.nodeLink('edge-a');

  assert.equal(node.connected, true);
  const access = await fullAccess(own.dir, own.server.url);
  await assert.rejects(other.link(access, '_INBOX_hub', own.server.url), 'a server with a certificate of another CA');
  const plain = { ...access, url: own.server.url.replace('tls:', 'nats:') };
  await assert.rejects(connect({ ...connectionOptions(plain, undefined), reconnect: false }));
});

test('a server that was told to listen beyond this machine is not the one of before', async () => {
  const dir = await tempDir();
  const first = await new OwnServer(dir).start();
  const port = Number(new URL(first.server.url).port);
  await first.stop();

  await using second = await new OwnServer(dir, { host: '0.0.0.0', port, portAskedFor: true }).start();

  await second.nodeLink('edge-a');
});
