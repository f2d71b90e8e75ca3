// Lets nodes in: a token, or the key that came with one before, for a JWT that lasts a day. Decides nothing: the rules are pure.
import type { Clock } from '../../kit/clock.ts';
import type { Logger } from '../../kit/logger.ts';
import { seconds, type Duration } from '../../kit/units.ts';
import {
  parseSentToken,
  signedOfRenewal,
  type Challenge,
  type ChallengeRequest,
  type JoinGrant,
  type JoinRequest,
  type RenewRequest,
} from '../../wire/join-messages.ts';
import { isNodeName } from '../admission/node-names.ts';
import { Challenges } from './challenges.ts';
import { joinErrors } from './errors.ts';
import type { JoinRecords } from './join-records.ts';
import { redeem } from './join-token.ts';
import { checkRenewal, join, type Registration } from './registration.ts';

export interface NodeDoorTools {
  readonly records: Pick<JoinRecords, 'tokens' | 'registrations'>;
  /** The JWT of a node's NATS user, with the rights of that node and no others. */
  readonly mint: (node: string, publicKey: string, expiresAt: Date) => string;
  /** Default `JWT_LIFE`. */
  readonly jwtLife?: Duration;
  /** PEM. */
  readonly ca: () => string;
  /** For who reached the hub under that name or address. Throws JOIN_NATS_HIDDEN where it can reach none. */
  readonly natsUrl: (localHost: string) => string;
  /** Nodes of this machine hold their names without having joined. */
  readonly isLocalNode: (node: string) => boolean;
  readonly isUserKey: (publicKey: string) => boolean;
  readonly verify: (publicKey: string, bytes: Uint8Array, signature: Uint8Array) => boolean;
  readonly clock: Clock;
  readonly logger: Logger;
}

export const JWT_LIFE: Duration = seconds(24 * 3600);
/** JWTs and stamps bear that; with more, a person should know. */
const CLOCKS_APART: Duration = seconds(300);
const LONGEST_NAME = 200;
const TOKEN_ID = /^[0-9a-f]{1,32}$/;

export class NodeDoor {
  readonly #tools: NodeDoorTools;
  readonly #challenges = new Challenges();

  constructor(tools: NodeDoorTools) {
    this.#tools = tools;
  }

  /**
   * Rejects with any of the JOIN_… codes or NODE_REVOKED, and then nothing has changed, except that a use of the token may be gone
   * where two nodes ask for one name in the same moment. Asked again with the same node and key it grants again.
   */
  async join({ node, token, publicKey, time }: JoinRequest, localHost: string): Promise<JoinGrant> {
    const { records, clock, logger } = this.#tools;
    this.#checkNames(node, publicKey);
    const { id, secret } = parseSentToken(token) ?? { id: '', secret: '' };
    const presented = { secret, node, publicKey };
    const kept = TOKEN_ID.test(id) ? await records.tokens.get(id) : undefined;
    redeem(kept, presented, clock.now());
    // From here on, whoever asks was given the token, and may be told more.
    this.#checkClock(time);
    this.#tools.natsUrl(localHost);
    const present = await records.registrations.get(node);
    this.#admit(present, { node, publicKey });
    await records.tokens.change(id, (found) => redeem(found, presented, clock.now()));
    await records.registrations.change(node, (found) => this.#admit(found, { node, publicKey }));
    logger.info({ node, token: id }, 'node joined');
    return this.#grant(node, publicKey, localHost);
  }

  challenge(asked: ChallengeRequest): Challenge {
    this.#checkNames(asked.node, asked.publicKey);
    return { challenge: this.#challenges.make(asked, this.#tools.clock.now()) };
  }

  /** Rejects with RENEWAL_PROOF_INVALID, NODE_REVOKED or NODE_NOT_JOINED. */
  async renew(asked: RenewRequest, localHost: string): Promise<JoinGrant> {
    const { records, clock, verify, logger } = this.#tools;
    const { node, publicKey, challenge, signature } = asked;
    this.#checkNames(node, publicKey);
    const isProven =
      this.#challenges.isGood(challenge, { node, publicKey }, clock.now()) &&
      verify(publicKey, signedOfRenewal(asked), Buffer.from(signature, 'base64url'));
    if (!isProven) throw joinErrors.RENEWAL_PROOF_INVALID({ node });
    checkRenewal(await records.registrations.get(node), { node, publicKey });
    logger.info({ node }, 'credentials of a node renewed');
    return this.#grant(node, publicKey, localHost);
  }

  #checkNames(node: string, publicKey: string): void {
    if (node.length > LONGEST_NAME || !isNodeName(node))
      throw joinErrors.JOIN_NAME_INVALID({ node, most: LONGEST_NAME });
    if (!this.#tools.isUserKey(publicKey)) throw joinErrors.JOIN_KEY_INVALID({});
  }

  #checkClock(time: number): void {
    const ahead = time - this.#tools.clock.now();
    if (Math.abs(ahead) > CLOCKS_APART) throw joinErrors.JOIN_CLOCK_OFF({ ahead, now: this.#tools.clock.now() });
  }

  #admit(present: Registration | undefined, asked: Pick<Registration, 'node' | 'publicKey'>): Registration | undefined {
    if (this.#tools.isLocalNode(asked.node)) throw joinErrors.JOIN_NAME_LOCAL({ node: asked.node });
    return join(present, asked, this.#tools.clock.now());
  }

  #grant(node: string, publicKey: string, localHost: string): JoinGrant {
    const { mint, ca, natsUrl, clock, jwtLife = JWT_LIFE } = this.#tools;
    const time = clock.now();
    // JWTs count in whole seconds.
    const expiresAt = Math.floor((time + jwtLife) / 1000) * 1000;
    const jwt = mint(node, publicKey, new Date(expiresAt));
    return { node, jwt, expiresAt, nats: { url: natsUrl(localHost) }, ca: ca(), time };
  }
}
