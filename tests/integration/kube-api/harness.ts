/* eslint-disable @typescript-eslint/no-unsafe-argument, @typescript-eslint/no-unsafe-assignment, @typescript-eslint/no-unsafe-member-access -- answers have many shapes, and the assertions are what checks them */
// Starts embedded Kubernetes APIs for tests, and speaks plain HTTPS to them.
import { rmSync } from 'node:fs';
import { mkdtemp, readFile } from 'node:fs/promises';
import { request as httpsRequest, Agent } from 'node:https';
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';
import { parse } from 'yaml';
import { Deadline } from '../../../src/kit/deadline.ts';
import { silentLogger } from '../../../src/kit/logger.ts';
import { seconds } from '../../../src/kit/units.ts';
import { createKubeApi, type KubeApi } from '../../../src/kube-api/kube-api.ts';

// eslint-disable-next-line @typescript-eslint/no-explicit-any -- tests look into answers of many shapes; assertions check them
export type AnyJson = any;

export interface Answer {
  readonly code: number;
  readonly body: AnyJson;
  readonly text: string;
  readonly headers: IncomingHttpHeaders;
}

export interface Asking {
  readonly body?: unknown;
  readonly type?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly token?: string | undefined;
}

/** What registers clean-up: a test, or a whole suite (`suiteScope`). */
export interface Scope {
  after(work: () => unknown): void;
}

/** For servers that all tests of a suite share; to be called while the suite is described. */
export function suiteScope(): Scope {
  const works: (() => unknown)[] = [];
  after(async () => {
    for (const work of works) await work();
  });
  return { after: (work) => works.push(work) };
}

const directories: string[] = [];
process.on('exit', () => {
  for (const directory of directories) rmSync(directory, { recursive: true, force: true });
});

/** Removed when the test process ends, after everything that may still write to it. */
export async function temporaryDirectory(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'skerry-kube-api-'));
  directories.push(directory);
  return directory;
}

export async function startApi(t: Scope, dataDir?: string): Promise<{ api: KubeApi; client: Client; dataDir: string }> {
  const directory = dataDir ?? (await temporaryDirectory());
  const api = createKubeApi({ dataDir: directory, host: '127.0.0.1', port: 0 }, { logger: silentLogger });
  await api.start(new AbortController().signal);
  t.after(() => stopApi(api));
  return { api, client: await Client.of(api.kubeconfigFile), dataDir: directory };
}

export const stopApi = (api: KubeApi): Promise<void> => api.stop(Deadline.after(seconds(5)));

/** Resolves when the condition holds; otherwise says what was awaited. */
export async function eventually(
  what: string,
  condition: () => boolean | Promise<boolean>,
  within = 10_000,
): Promise<void> {
  const end = performance.now() + within;
  while (!(await condition())) {
    if (performance.now() > end) throw new Error(`still waiting for: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

export class Client {
  readonly url: string;
  readonly token: string;
  readonly #agent: Agent;

  private constructor(url: string, token: string, ca: Buffer) {
    this.url = url;
    this.token = token;
    this.#agent = new Agent({ ca, keepAlive: true, maxSockets: 64 });
  }

  static async of(kubeconfigFile: string): Promise<Client> {
    const { clusters, users } = parse(await readFile(kubeconfigFile, 'utf8'));
    const { cluster } = clusters[0];
    return new Client(
      cluster.server,
      users[0].user.token,
      Buffer.from(cluster['certificate-authority-data'], 'base64'),
    );
  }

  async ask(method: string, path: string, asking: Asking = {}): Promise<Answer> {
    const response = await this.open(method, path, asking);
    const chunks: Buffer[] = [];
    for await (const chunk of response as AsyncIterable<Buffer>) chunks.push(chunk);
    const text = Buffer.concat(chunks).toString('utf8');
    const isJson = (response.headers['content-type'] ?? '').includes('json');
    return {
      code: response.statusCode ?? 0,
      body: isJson ? JSON.parse(text) : undefined,
      text,
      headers: response.headers,
    };
  }

  get(path: string, headers: Readonly<Record<string, string>> = {}): Promise<Answer> {
    return this.ask('GET', path, { headers });
  }

  post(path: string, body: unknown): Promise<Answer> {
    return this.ask('POST', path, { body });
  }

  put(path: string, body: unknown): Promise<Answer> {
    return this.ask('PUT', path, { body });
  }

  patch(path: string, body: unknown, type = 'application/merge-patch+json'): Promise<Answer> {
    return this.ask('PATCH', path, { body, type });
  }

  delete(path: string, body?: unknown): Promise<Answer> {
    return this.ask('DELETE', path, { body });
  }

  /** Opens a request and answers with the response as it begins. */
  open(method: string, path: string, asking: Asking = {}): Promise<IncomingMessage> {
    const { body, type = 'application/json', headers = {} } = asking;
    const token = 'token' in asking ? asking.token : this.token;
    const text = body === undefined ? undefined : typeof body === 'string' ? body : JSON.stringify(body);
    const sent = {
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      ...(text === undefined ? {} : { 'content-type': type, 'content-length': String(Buffer.byteLength(text)) }),
      ...headers,
    };
    return new Promise((resolve, reject) => {
      const request = httpsRequest(`${this.url}${path}`, { method, agent: this.#agent, headers: sent }, resolve);
      request.on('error', reject);
      request.end(text);
    });
  }

  async watch(t: Scope, path: string, headers: Readonly<Record<string, string>> = {}): Promise<Watch> {
    const response = await this.open('GET', path, { headers });
    const watch = new Watch(response);
    t.after(() => {
      watch.close();
    });
    return watch;
  }
}

/** The events of one watch, as they come. */
export class Watch {
  readonly code: number;
  readonly events: AnyJson[] = [];
  isOver = false;
  readonly #response: IncomingMessage;
  #rest = '';

  constructor(response: IncomingMessage) {
    this.code = response.statusCode ?? 0;
    this.#response = response;
    response.setEncoding('utf8');
    response.on('data', (text: string) => {
      this.#hear(text);
    });
    response.on('close', () => {
      this.isOver = true;
    });
    response.on('error', () => {
      this.isOver = true;
    });
  }

  /** `ADDED a`, `MODIFIED a` … */
  get summary(): readonly string[] {
    return this.events.map(({ type, object }) => `${type} ${object.metadata?.name ?? object.reason}`);
  }

  close(): void {
    this.#response.destroy();
  }

  #hear(text: string): void {
    const lines = `${this.#rest}${text}`.split('\n');
    this.#rest = lines.pop() ?? '';
    for (const line of lines) this.events.push(JSON.parse(line));
  }
}
