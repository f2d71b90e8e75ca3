// An edge node that finds out who it is before it starts: it may have to join its hub for that.
import type { Deadline } from '../kit/deadline.ts';
import type { Logger } from '../kit/logger.ts';
import type { Health, Service } from '../kit/service.ts';
import type { NodeIdentity } from '../wire/node-identity.ts';
import type { EdgeConfig } from './edge-config.ts';
import { EdgeNode, type EdgeAddresses } from './edge-node.ts';
import type { Joined } from './identity/identity-files.ts';

export interface ArrivingNodeTools {
  readonly findIdentity: (signal: AbortSignal) => Promise<NodeIdentity | Joined>;
  readonly logger: Logger;
}

interface Arrived {
  readonly identity: NodeIdentity;
  readonly node: EdgeNode;
}

export class ArrivingNode implements Service {
  readonly name = 'edge';
  readonly #config: Omit<EdgeConfig, 'credentials' | 'joined'>;
  readonly #tools: ArrivingNodeTools;
  #arrived: Arrived | undefined;

  constructor(config: Omit<EdgeConfig, 'credentials' | 'joined'>, tools: ArrivingNodeTools) {
    this.#config = config;
    this.#tools = tools;
  }

  get ended(): Promise<unknown> {
    return this.#here.node.ended;
  }

  /** After start. */
  get addresses(): EdgeAddresses {
    return this.#here.node.addresses;
  }

  /** After start. */
  get identity(): NodeIdentity {
    return this.#here.identity;
  }

  /** Rejects as `findIdentity` does, or as an edge node does. */
  async start(signal: AbortSignal): Promise<void> {
    const { findIdentity, logger } = this.#tools;
    const identity = await findIdentity(signal);
    const joined = 'tokenId' in identity ? { joined: identity } : {};
    const node = new EdgeNode({ ...this.#config, credentials: identity, ...joined }, { logger });
    this.#arrived = { identity, node };
    await node.start(signal);
  }

  async stop(deadline: Deadline): Promise<void> {
    await this.#arrived?.node.stop(deadline);
  }

  health(): Health {
    return this.#arrived?.node.health() ?? { state: 'degraded', reason: 'not joined yet' };
  }

  get #here(): Arrived {
    if (this.#arrived === undefined) throw new Error('the node was asked before it was started');
    return this.#arrived;
  }
}
