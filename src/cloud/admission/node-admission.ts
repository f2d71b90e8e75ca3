// Who may connect as a node: one credentials file per node in the data dir, readable by its owner only, from which the server's
// users are made. (Joining from another machine, with a token and keys that never leave the node, comes beside this.)
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Deadline } from '../../kit/deadline.ts';
import { codeOf } from '../../kit/errors.ts';
import type { Logger } from '../../kit/logger.ts';
import { HEALTHY, type Health, type Service } from '../../kit/service.ts';
import { asObject, asString, parseJson } from '../../wire/json.ts';
import { nodePermissions } from '../../wire/nats-subjects.ts';
import type { NatsUser } from '../nats-server/server-config.ts';
import { randomPassword, readIfThere, writePrivateFile } from '../private-files.ts';
import { admissionErrors } from './errors.ts';
import { isNodeName } from './node-names.ts';

/** The content of a credentials file: what `skerry edge --credentials FILE` needs to connect. */
export interface NodeCredentials {
  readonly node: string;
  readonly nats: { readonly url: string; readonly user: string; readonly password: string };
}

/** The server whose users the nodes are. */
export interface UserServer {
  readonly url: string;
  reloadUsers(): Promise<void>;
}

export interface AdmissionConfig {
  readonly dataDir: string;
  /** Nodes of this machine, admitted at start. */
  readonly localNodes: readonly string[];
}

export class NodeAdmission implements Service {
  readonly name = 'admission';
  readonly #config: AdmissionConfig;
  readonly #server: () => UserServer;
  readonly #logger: Logger;
  readonly #admitted = new Set<string>();

  /** `server` is asked for late, because the server asks us for its users. */
  constructor(config: AdmissionConfig, tools: { readonly server: () => UserServer; readonly logger: Logger }) {
    this.#config = config;
    this.#server = tools.server;
    this.#logger = tools.logger;
  }

  /** Writes the present address of the server into every file. Rejects with NODE_NAME_INVALID or NODE_FILE_INVALID. */
  async start(_signal: AbortSignal): Promise<void> {
    const names = new Set([...(await this.#knownNodes()), ...this.#config.localNodes]);
    const changes = await Promise.all([...names].map((name) => this.#keep(name)));
    if (changes.includes('made')) await this.#server().reloadUsers();
  }

  stop(_deadline: Deadline): Promise<void> {
    return Promise.resolve();
  }

  health(): Health {
    return HEALTHY;
  }

  get admitted(): ReadonlySet<string> {
    return this.#admitted;
  }

  isAdmitted(node: string): boolean {
    return this.#admitted.has(node);
  }

  credentialsFile(node: string): string {
    return join(this.#config.dataDir, 'nodes', `${node}.json`);
  }

  /**
   * Lets a node of this machine connect; a node admitted before keeps its password. Resolves with its credentials file once the
   * server knows the user. Rejects with NODE_NAME_INVALID.
   */
  async admitLocalNode(name: string): Promise<string> {
    if ((await this.#keep(name)) === 'made') await this.#server().reloadUsers();
    return this.credentialsFile(name);
  }

  /** The users of all admitted nodes, each with its own rights and no others. */
  async users(): Promise<readonly NatsUser[]> {
    const nodes = await Promise.all((await this.#knownNodes()).map((name) => this.#read(name)));
    return nodes
      .filter((found) => found !== undefined)
      .map(({ node, nats }) => ({ user: nats.user, password: nats.password, permissions: nodePermissions(node) }));
  }

  async #keep(node: string): Promise<'made' | 'kept'> {
    if (!isNodeName(node)) throw admissionErrors.NODE_NAME_INVALID({ node });
    const known = await this.#read(node);
    const url = this.#server().url;
    const password = known?.nats.password ?? randomPassword();
    const credentials: NodeCredentials = { node, nats: { url, user: `node-${node}`, password } };
    if (known?.nats.url !== url)
      await writePrivateFile(this.credentialsFile(node), `${JSON.stringify(credentials, undefined, 2)}\n`);
    this.#admitted.add(node);
    if (known !== undefined) return 'kept';
    this.#logger.info({ node, file: this.credentialsFile(node) }, 'node admitted');
    return 'made';
  }

  async #read(node: string): Promise<NodeCredentials | undefined> {
    const file = this.credentialsFile(node);
    const text = await readIfThere(file);
    if (text === undefined) return undefined;
    const credentials = decodeCredentials(text);
    if (credentials?.node !== node) throw admissionErrors.NODE_FILE_INVALID({ file });
    return credentials;
  }

  async #knownNodes(): Promise<readonly string[]> {
    try {
      const files = await readdir(join(this.#config.dataDir, 'nodes'));
      return files.filter((file) => file.endsWith('.json')).map((file) => file.slice(0, -'.json'.length));
    } catch (error) {
      if (codeOf(error) === 'ENOENT') return [];
      throw error;
    }
  }
}

function decodeCredentials(text: string): NodeCredentials | undefined {
  const raw = asObject(parseJson(text)) ?? {};
  const nats = asObject(raw['nats']) ?? {};
  const node = asString(raw['node']);
  const [url, user, password] = [asString(nats['url']), asString(nats['user']), asString(nats['password'])];
  if (node === undefined || url === undefined || user === undefined || password === undefined) return undefined;
  return { node, nats: { url, user, password } };
}
