// The kubeconfig, read by the Kubernetes client library: clusters, users, certificates, tokens and credential plugins. The
// requests themselves go over node:https with what the library computed, because its generated API classes cost six times the CPU
// (measured: 2.5 ms against 0.42 ms per status write). Plain `http://` servers need insecure-skip-tls-verify in the library.
import http from 'node:http';
import https from 'node:https';
import { KubeConfig } from '@kubernetes/client-node';
import { messageOf } from '../../kit/errors.ts';
import { seconds } from '../../kit/units.ts';
import { kubeErrors } from './errors.ts';

/** What every request carries. */
export interface Access {
  readonly headers: Readonly<Record<string, string>>;
  /** For short requests: few sockets, kept open. */
  readonly agent: http.Agent;
  /** For watches: a socket each. */
  readonly watchAgent: http.Agent;
}

const SOCKETS = 32;
/** Tokens and plugin credentials are asked for again after this time, and after a 401. */
const FRESH_FOR = seconds(60);

export class KubeCredentials {
  readonly server: URL;
  readonly #config: KubeConfig;
  #access: Access | undefined;
  #agentKey = '';
  #readAt = 0;

  private constructor(config: KubeConfig, server: URL) {
    this.#config = config;
    this.server = server;
  }

  /** Throws KUBE_CONFIG_INVALID, naming the file. */
  static load(file: string): KubeCredentials {
    try {
      const config = new KubeConfig();
      config.loadFromFile(file);
      const cluster = config.getCurrentCluster();
      if (cluster === null) throw new Error(`its current context "${config.getCurrentContext()}" names no cluster`);
      return new KubeCredentials(config, new URL(cluster.server));
    } catch (error) {
      throw kubeErrors.KUBE_CONFIG_INVALID({ file, reason: messageOf(error) }, error);
    }
  }

  async access(): Promise<Access> {
    if (this.#access !== undefined && performance.now() - this.#readAt < FRESH_FOR) return this.#access;
    const options: https.RequestOptions = {};
    await this.#config.applyToHTTPSOptions(options);
    this.#readAt = performance.now();
    this.#access = this.#accessFrom(options);
    return this.#access;
  }

  /** The server did not take them: read them again at the next request. */
  expire(): void {
    this.#readAt = Number.NEGATIVE_INFINITY;
  }

  close(): void {
    if (this.#access !== undefined) for (const agent of agentsOf(this.#access)) agent.destroy();
    this.#access = undefined;
  }

  #accessFrom(options: https.RequestOptions): Access {
    const headers: Record<string, string> = {};
    for (const [name, value] of Object.entries(options.headers ?? {})) headers[name] = String(value);
    if (options.auth) headers['Authorization'] = `Basic ${Buffer.from(options.auth).toString('base64')}`;
    const key = JSON.stringify([options.ca, options.cert, options.key, options.rejectUnauthorized]);
    if (this.#access !== undefined && key === this.#agentKey) return { ...this.#access, headers };
    this.#agentKey = key;
    if (this.#access !== undefined) for (const agent of agentsOf(this.#access)) retire(agent);
    return { headers, ...this.#agents(options) };
  }

  #agents(options: https.RequestOptions): Pick<Access, 'agent' | 'watchAgent'> {
    // Behind a proxy the library's own agent knows the way.
    if (this.#config.getCurrentCluster()?.proxyUrl !== undefined && options.agent instanceof http.Agent)
      return { agent: options.agent, watchAgent: options.agent };
    const { ca, cert, key, passphrase, pfx, rejectUnauthorized, servername } = options;
    const tls = Object.fromEntries(
      Object.entries({ ca, cert, key, passphrase, pfx, rejectUnauthorized, servername }).filter(
        ([, value]) => value !== undefined,
      ),
    );
    const shared = { keepAlive: true, keepAliveMsecs: 10_000, scheduling: 'lifo' as const };
    if (this.server.protocol === 'http:')
      return { agent: new http.Agent({ ...shared, maxSockets: SOCKETS }), watchAgent: new http.Agent(shared) };
    return {
      agent: new https.Agent({ ...tls, ...shared, maxSockets: SOCKETS }),
      watchAgent: new https.Agent({ ...tls, ...shared }),
    };
  }
}

const agentsOf = ({ agent, watchAgent }: Access): readonly http.Agent[] => [agent, watchAgent];

/** Its idle sockets end now, the others with the request that they carry. */
function retire(agent: http.Agent): void {
  agent.maxFreeSockets = 0;
  for (const sockets of Object.values(agent.freeSockets)) for (const socket of sockets ?? []) socket.destroy();
}
