// The two machines of the README, as network namespaces: a node joins, is thrown out, and comes back only when its name is free.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { promisify } from 'node:util';
import { startProgram, type Program } from '../support/program.ts';
import { tempDir } from '../support/temp-dir.ts';
import { HUB_ADDRESS, TwoMachines } from '../support/two-machines.ts';
import { waitUntil } from '../support/wait-until.ts';

const run = promisify(execFile);
const NODE_READY = `
  import { KubeClient } from './dist/src/cloud/kubernetes/kube-client.js';
  const client = KubeClient.fromFile(process.argv[1]);
  const { body } = await client.request({ method: 'GET', path: '/api/v1/nodes/plant-1' });
  console.log(body.status?.conditions?.find(({ type }) => type === 'Ready')?.status ?? 'none');
  client.close();`;

class Site {
  readonly #machines: TwoMachines;
  readonly #dir: string;
  readonly #t: TestContext;

  constructor(t: TestContext, machines: TwoMachines, dir: string) {
    [this.#t, this.#machines, this.#dir] = [t, machines, dir];
  }

  async startHub(): Promise<void> {
    const listen = ['--http', '0.0.0.0:8443', '--nats-listen', '0.0.0.0:4222', '--api', '127.0.0.1:6443'];
    const prefix = this.#machines.onHub;
    const hub = await startProgram(['hub', '--data-dir', join(this.#dir, 'hub'), ...listen], { prefix });
    this.#t.after(() => hub.stop());
  }

  async startEdge(token: string): Promise<Program> {
    const listen = ['--mqtt', '127.0.0.1:0', '--mqtt-ws', 'off', '--http', '127.0.0.1:0'];
    const order = ['--hub', `https://${HUB_ADDRESS}:8443`, '--token', token, '--node', 'plant-1'];
    const edge = await startProgram(['edge', '--data-dir', join(this.#dir, 'edge'), ...order, ...listen], {
      prefix: this.#machines.onEdge,
    });
    this.#t.after(() => edge.kill());
    return edge;
  }

  async atHub(...args: string[]): Promise<Record<string, unknown>> {
    const flags = ['--data-dir', join(this.#dir, 'hub'), '--output', 'json'];
    const { stdout } = await this.#onHub('dist/bundle/skerry.js', ...args, ...flags);
    return JSON.parse(stdout) as Record<string, unknown>;
  }

  async token(): Promise<string> {
    return await waitUntil('a token', async () => {
      const told = await this.atHub('token', 'create').catch(() => undefined);
      return told === undefined ? undefined : String(told['token']);
    });
  }

  async nodeReady(): Promise<string> {
    const kubeconfig = join(this.#dir, 'hub', 'kubeconfig');
    const { stdout } = await this.#onHub('--input-type=module', '-e', NODE_READY, kubeconfig);
    return stdout.trim();
  }

  #onHub(...args: string[]): Promise<{ stdout: string }> {
    const [command = '', ...prefix] = this.#machines.onHub;
    return run(command, [...prefix, process.execPath, ...args]);
  }
}

void test('a node of another machine joins by a token, is thrown out at once, and comes back when its name is released', async (t) => {
  const dir = await tempDir();
  t.after(() => dir[Symbol.asyncDispose]());
  const machines = new TwoMachines();
  t.after(() => machines[Symbol.dispose]());
  const site = new Site(t, machines, dir.path);
  await site.startHub();
  const first = await site.token();

  let edge = await site.startEdge(first);
  await waitUntil('the node to be ready', async () => (await site.nodeReady()) === 'True');
  await edge.stop();
  edge = await site.startEdge(first);
  await waitUntil('the node to be linked by the same command', () => edge.log().includes('linked to NATS'));

  const since = performance.now();
  await site.atHub('node', 'revoke', 'plant-1');
  await waitUntil('the node to be cut off', () => /link to NATS lost/.test(edge.log()));
  t.diagnostic(`cut off ${Math.round(performance.now() - since)} ms after the command was begun`);
  await waitUntil('Kubernetes to say so', async () => (await site.nodeReady()) !== 'True');
  await waitUntil('the node to say why', () => /revoked.*does not renew the credentials/.test(edge.log()));
  await edge.stop();

  const second = await site.token();
  await assert.rejects(site.startEdge(second), /HUB_REFUSED.*revoked/s);
  await site.atHub('node', 'release', 'plant-1');
  edge = await site.startEdge(second);
  await waitUntil('the node to be ready again', async () => (await site.nodeReady()) === 'True');
  assert.ok(!edge.log().includes(second), 'the token is in the log');
});
