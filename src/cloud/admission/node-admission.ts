// Nodes of this machine: one credentials file each in the data dir, readable by its owner only, with a key that the hub made and a
// JWT that the authority signed. (Nodes of other machines join, with keys that never leave them.)
import { join } from 'node:path';
import type { Deadline } from '../../kit/deadline.ts';
import type { Logger } from '../../kit/logger.ts';
import { HEALTHY, type Health, type Service } from '../../kit/service.ts';
import { createKeyPair, keyPairFromSeed, type NatsKeyPair } from '../../nats/nkeys.ts';
import { nodePermissions } from '../../wire/nats-subjects.ts';
import { decodeNodeIdentity, encodeNodeIdentity, type NodeIdentity } from '../../wire/node-identity.ts';
import type { Authority } from '../authority/authority.ts';
import { MAX_PAYLOAD } from '../nats-server/server-config.ts';
import { namesIn, readIfThere, writePrivateFile } from '../private-files.ts';
import { admissionErrors } from './errors.ts';
import { isNodeName } from './node-names.ts';

export interface NodeAdmissionTools {
  readonly authority: () => Authority;
  readonly serverUrl: () => string;
  /** Public keys that were thrown out. */
  readonly revocations: () => Promise<ReadonlyMap<string, number>>;
  readonly logger: Logger;
}

/** What a node may cost the server; an edge process holds five subscriptions. */
export const NODE_LIMITS = { subscriptions: 32, payload: MAX_PAYLOAD } as const;

export interface AdmissionConfig {
  readonly dataDir: string;
  /** Nodes of this machine, admitted at start. */
  readonly localNodes: readonly string[];
}

export class NodeAdmission implements Service {
  readonly name = 'admission';
  readonly #config: AdmissionConfig;
  readonly #tools: NodeAdmissionTools;
  /** By name: the public key. */
  readonly #admitted = new Map<string, string>();

  constructor(config: AdmissionConfig, tools: NodeAdmissionTools) {
    this.#config = config;
    this.#tools = tools;
  }

  /** Writes the server's present address and the rights of this version into every file. Rejects with NODE_NAME_INVALID or NODE_FILE_INVALID. */
  async start(_signal: AbortSignal): Promise<void> {
    const names = new Set([...(await this.#knownNodes()), ...this.#config.localNodes]);
    await Promise.all([...names].map((name) => this.#keep(name)));
  }

  stop(_deadline: Deadline): Promise<void> {
    return Promise.resolve();
  }

  health(): Health {
    return HEALTHY;
  }

  get admitted(): Iterable<string> {
    return this.#admitted.keys();
  }

  isAdmitted(node: string): boolean {
    return this.#admitted.has(node);
  }

  /** Whose key it is. */
  nodeOf(publicKey: string): string | undefined {
    return [...this.#admitted].find(([, key]) => key === publicKey)?.[0];
  }

  credentialsFile(node: string): string {
    return join(this.#config.dataDir, 'nodes', `${node}.json`);
  }

  /**
   * Lets a node of this machine connect; a node admitted before keeps its key. Resolves with its credentials file. Rejects with
   * NODE_NAME_INVALID.
   */
  async admitLocalNode(name: string): Promise<string> {
    await this.#keep(name);
    return this.credentialsFile(name);
  }

  async #keep(node: string): Promise<void> {
    if (!isNodeName(node)) throw admissionErrors.NODE_NAME_INVALID({ node });
    const known = await this.#read(node);
    const key = keyOf(known) ?? createKeyPair('user');
    // A JWT that is issued after the revocation would let it in again.
    if ((await this.#tools.revocations()).has(key.publicKey)) return;
    await writePrivateFile(this.credentialsFile(node), encodeNodeIdentity(this.#identityOf(node, key)));
    this.#admitted.set(node, key.publicKey);
    if (known === undefined) this.#tools.logger.info({ node, file: this.credentialsFile(node) }, 'node admitted');
  }

  #identityOf(node: string, { publicKey, seed }: NatsKeyPair): NodeIdentity {
    const jwt = this.#tools
      .authority()
      .mintUser({ name: node, publicKey, permissions: nodePermissions(node), limits: NODE_LIMITS });
    return { node, ca: this.#tools.authority().caCertificate, nats: { url: this.#tools.serverUrl(), jwt, seed } };
  }

  async #read(node: string): Promise<NodeIdentity | undefined> {
    const file = this.credentialsFile(node);
    const text = await readIfThere(file);
    if (text === undefined) return undefined;
    const identity = decodeNodeIdentity(text);
    if ('problem' in identity || identity.node !== node) throw admissionErrors.NODE_FILE_INVALID({ file });
    return identity;
  }

  async #knownNodes(): Promise<readonly string[]> {
    const files = await namesIn(join(this.#config.dataDir, 'nodes'));
    return files.filter((file) => file.endsWith('.json')).map((file) => file.slice(0, -'.json'.length));
  }
}

/** None in a file from the time of passwords. */
function keyOf(identity: NodeIdentity | undefined): NatsKeyPair | undefined {
  return identity !== undefined && 'seed' in identity.nats ? keyPairFromSeed(identity.nats.seed) : undefined;
}
