// A hub and its edge nodes on this machine, each a process of its own, with a proxy on every link: what the moves are made against.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { KubeClient } from '../../cloud/kubernetes/kube-client.ts';
import { Deadline } from '../../kit/deadline.ts';
import type { LogLevel } from '../../kit/logger.ts';
import { seededRandom } from '../../kit/random.ts';
import { sleep } from '../../kit/sleep.ts';
import { ms, seconds, type Duration } from '../../kit/units.ts';
import { asObject, parseJson } from '../../wire/json.ts';
import { inboxPrefix } from '../../wire/nats-subjects.ts';
import { durationText } from '../durations.ts';
import { cliErrors } from '../errors.ts';
import { steadyPorts } from '../free-ports.ts';
import type { CutForm, Kill } from './fault-schedule.ts';
import { LinkProxy } from './link-proxy.ts';
import { killNatsServer } from './nats-process.ts';
import { createDevices, devicesOf, edgeName } from './site-devices.ts';
import { SitePart } from './site-part.ts';

export interface SiteConfig {
  readonly dataDir: string;
  readonly edges: number;
  /** Of each edge node. */
  readonly devices: number;
  readonly duplicateWindow: Duration;
  /** Of the receipts of the uplink, from 0 to 1. */
  readonly dropShare: number;
  readonly seed: number;
  readonly logLevel: LogLevel;
}

interface Edge {
  readonly part: SitePart;
  readonly proxy: LinkProxy;
  readonly mqtt: string;
  readonly http: string;
}

const RETRY = ms(100);
const STATUS_WITHIN = seconds(3);
const KNOWN_WITHIN = seconds(60);

export class ChaosSite {
  readonly #config: SiteConfig;
  readonly #hub: SitePart;
  readonly #edges: readonly Edge[];
  readonly #ports: SitePorts;

  private constructor(config: SiteConfig, ports: SitePorts) {
    this.#config = config;
    this.#ports = ports;
    this.#hub = new SitePart(this.#partConfig('hub', hubArgs(config, ports)));
    this.#edges = ports.edges.map(({ mqtt, http }, edge) => ({
      part: new SitePart(this.#partConfig(edgeName(edge), edgeArgs(config, edge, { mqtt, http }))),
      proxy: this.#proxy(edge),
      mqtt: `mqtt://${mqtt}`,
      http: `http://${http}`,
    }));
  }

  /** With its addresses chosen, and nothing running. */
  static async create(config: SiteConfig): Promise<ChaosSite> {
    return new ChaosSite(config, await sitePorts(config.edges));
  }

  get hubDir(): string {
    return join(this.#config.dataDir, 'hub');
  }

  get kubeconfig(): string {
    return join(this.hubDir, 'kubeconfig');
  }

  /** Past the proxies. */
  get natsUrl(): string {
    return `nats://${this.#ports.nats}`;
  }

  /** Where the devices of each edge node connect. */
  get mqttUrls(): readonly string[] {
    return this.#edges.map(({ mqtt }) => mqtt);
  }

  get droppedReceipts(): number {
    return this.#edges.reduce((sum, { proxy }) => sum + proxy.dropped, 0);
  }

  get crashes(): readonly string[] {
    return this.#parts.flatMap(({ crashes }) => crashes);
  }

  /** Names of those that do not serve now. */
  get away(): readonly string[] {
    return this.#parts.filter(({ isServing }) => !isServing).map(({ name }) => name);
  }

  /** Resolves when every edge node knows its devices. Rejects with PART_FAILED, or with the abort. */
  async start(signal: AbortSignal): Promise<void> {
    // Whoever waits for a part's first line then stops waiting.
    const close = (): void => this.#close();
    signal.addEventListener('abort', close, { once: true });
    try {
      await this.#start(signal);
    } catch (error) {
      // A part that was closed while it started has failed for no other reason.
      signal.throwIfAborted();
      throw error;
    } finally {
      signal.removeEventListener('abort', close);
    }
  }

  async #start(signal: AbortSignal): Promise<void> {
    mkdirSync(join(this.#config.dataDir, 'logs'), { recursive: true, mode: 0o700 });
    await this.#hub.start();
    signal.throwIfAborted();
    for (const [place, { part, proxy }] of this.#edges.entries()) {
      await proxy.start();
      this.#writeCredentials(edgeName(place), proxy.port);
      await part.start();
      signal.throwIfAborted();
    }
    await this.#createDevices(signal);
    signal.throwIfAborted();
  }

  /** False when there was nothing to kill: it was killed before, and is not back yet. */
  kill({ victim, edge, away }: Kill): boolean {
    if (victim === 'nats') return killNatsServer(this.hubDir);
    const part = victim === 'hub' ? this.#hub : this.#edges[edge]?.part;
    return part?.kill(away) ?? false;
  }

  cut(edge: number, form: CutForm): void {
    this.#edges[edge]?.proxy.cut(form);
  }

  mend(edge: number): void {
    this.#edges[edge]?.proxy.mend();
  }

  /** What each edge node holds that the stream has not acknowledged; `undefined` where it does not answer. */
  backlogs(): Promise<readonly (number | undefined)[]> {
    return Promise.all(this.#edges.map(({ http }) => backlogAt(http)));
  }

  /** In order; what is left of the hub's nats-server goes too. */
  async stop(deadline: Deadline): Promise<void> {
    this.#close();
    await Promise.all(this.#edges.map(({ part }) => part.stop(Deadline.after(seconds(3)))));
    await this.#hub.stop(deadline);
    for (const { proxy } of this.#edges) proxy.stop();
    killNatsServer(this.hubDir);
  }

  /** At once. */
  killAll(): void {
    this.#close();
    for (const part of this.#parts) part.kill(ms(0));
    killNatsServer(this.hubDir);
  }

  get #parts(): readonly SitePart[] {
    return [this.#hub, ...this.#edges.map(({ part }) => part)];
  }

  #close(): void {
    for (const part of this.#parts) part.close();
  }

  #partConfig(name: string, args: readonly string[]): ConstructorParameters<typeof SitePart>[0] {
    const { dataDir, logLevel } = this.#config;
    const logFile = join(dataDir, 'logs', `${name}.log`);
    return { name, logFile, args: [...args, '--log-level', logLevel] };
  }

  #proxy(edge: number): LinkProxy {
    const { dropShare, seed } = this.#config;
    const url = new URL(`tcp://${this.#ports.nats}`);
    const target = { host: url.hostname, port: Number(url.port) };
    const receipts = `${inboxPrefix(edgeName(edge))}.up.`;
    return new LinkProxy({ target, receipts, dropShare }, { random: seededRandom(seed + edge) });
  }

  /** Those of the hub, with the proxy's address in place of the server's. */
  #writeCredentials(name: string, port: number): void {
    const raw = asObject(parseJson(readFileSync(join(this.hubDir, 'nodes', `${name}.json`), 'utf8'))) ?? {};
    const nats = { ...asObject(raw['nats']), url: `nats://127.0.0.1:${port}` };
    const text = JSON.stringify({ ...raw, nats });
    writeFileSync(credentialsFile(this.#config.dataDir, name), text, { mode: 0o600 });
  }

  async #createDevices(signal: AbortSignal): Promise<void> {
    const { edges, devices } = this.#config;
    const client = KubeClient.fromFile(this.kubeconfig);
    try {
      await createDevices(client, { edges, devices }, signal);
    } finally {
      client.close();
    }
    for (const [place, edge] of this.#edges.entries())
      for (const { namespace, name } of devicesOf(place, devices))
        await knowsDevice(edge, `${namespace}/${name}`, signal);
  }
}

interface SitePorts {
  readonly api: string;
  readonly nats: string;
  readonly http: string;
  readonly edges: readonly { readonly mqtt: string; readonly http: string }[];
}

async function sitePorts(edges: number): Promise<SitePorts> {
  const [api = '', nats = '', http = '', ...rest] = (await steadyPorts(3 + 2 * edges)).map(
    (port) => `127.0.0.1:${port}`,
  );
  const pairs = Array.from({ length: edges }, (_, edge) => ({
    mqtt: rest[2 * edge] ?? '',
    http: rest[2 * edge + 1] ?? '',
  }));
  return { api, nats, http, edges: pairs };
}

const credentialsFile = (dataDir: string, name: string): string => join(dataDir, `${name}.json`);

function hubArgs({ dataDir, edges, duplicateWindow }: SiteConfig, { api, nats, http }: SitePorts): readonly string[] {
  const nodes = Array.from({ length: edges }, (_, edge) => ['--local-node', edgeName(edge)]).flat();
  const sockets = ['--api', api, '--nats-listen', nats, '--http', http];
  const window = ['--duplicate-window', durationText(duplicateWindow)];
  return ['hub', '--data-dir', join(dataDir, 'hub'), ...nodes, ...sockets, ...window];
}

function edgeArgs(
  { dataDir }: SiteConfig,
  edge: number,
  { mqtt, http }: { readonly mqtt: string; readonly http: string },
): readonly string[] {
  const name = edgeName(edge);
  const own = ['--data-dir', join(dataDir, name), '--credentials', credentialsFile(dataDir, name)];
  return ['edge', ...own, '--mqtt', mqtt, '--mqtt-ws', 'off', '--http', http];
}

async function backlogAt(http: string): Promise<number | undefined> {
  try {
    const answer = await fetch(`${http}/status`, { signal: AbortSignal.timeout(STATUS_WITHIN) });
    const { backlog } = asObject(parseJson(await answer.text())) ?? {};
    return typeof backlog === 'number' ? backlog : undefined;
  } catch {
    // It is away; whoever asks knows what that means.
    return undefined;
  }
}

/** Rejects with PART_FAILED when the edge node does not come to know the device. */
async function knowsDevice({ part, http }: Edge, device: string, signal: AbortSignal): Promise<void> {
  const deadline = Deadline.after(KNOWN_WITHIN);
  while (!(await isThere(`${http}/twins/${device}`)) && !signal.aborted) {
    if (deadline.remaining() === 0) {
      const reason = `within ${durationText(KNOWN_WITHIN)} it did not come to know its device ${device}`;
      throw cliErrors.PART_FAILED({ part: part.name, reason, log: part.logFile });
    }
    await sleep(RETRY, signal);
  }
}

async function isThere(url: string): Promise<boolean> {
  try {
    return (await fetch(url, { signal: AbortSignal.timeout(STATUS_WITHIN) })).ok;
  } catch {
    // Not yet.
    return false;
  }
}
