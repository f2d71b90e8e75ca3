// What people decide about joining, from anywhere that reaches the Kubernetes API: hubs see it there.
import { randomBytes } from 'node:crypto';
import { pinOf } from '../kit/ca-pin.ts';
import type { Clock } from '../kit/clock.ts';
import type { Duration } from '../kit/units.ts';
import { joinTokenText } from '../wire/join-messages.ts';
import { joinErrors } from './join/errors.ts';
import { JoinRecords } from './join/join-records.ts';
import { hashOfSecret, type TokenRecord } from './join/join-token.ts';
import { release, revoke, type Registration } from './join/registration.ts';
import type { KubeClient } from './kubernetes/kube-client.ts';

export { usesLeft, type TokenRecord } from './join/join-token.ts';
export type { Registration } from './join/registration.ts';

export interface WantedToken {
  readonly ttl: Duration;
  readonly uses: number;
  readonly nodePattern?: string;
}

/** Every method rejects also with KUBE_UNAVAILABLE, KUBE_FORBIDDEN or KUBE_REFUSED. */
export class Joining {
  readonly #client: KubeClient;
  readonly #records: JoinRecords;
  readonly #clock: Clock;

  constructor(client: KubeClient, { clock }: { readonly clock: Clock }) {
    this.#client = client;
    this.#records = new JoinRecords({ client });
    this.#clock = clock;
  }

  /** The text of the token is nowhere but in the answer. Rejects with AUTHORITY_NOT_FOUND. */
  async createToken({
    ttl,
    uses,
    nodePattern,
  }: WantedToken): Promise<{ readonly token: string; readonly kept: TokenRecord }> {
    const ca = await this.#records.authorityCertificate();
    const pin = ca === undefined ? undefined : pinOf(ca);
    if (pin === undefined) throw joinErrors.AUTHORITY_NOT_FOUND({ server: this.#client.server });
    const id = randomBytes(6).toString('hex');
    const secret = randomBytes(32).toString('base64url');
    const now = this.#clock.now();
    const kept: TokenRecord = {
      ...{ id, uses, redeemed: [], createdAt: now, expiresAt: now + ttl },
      secretHash: hashOfSecret(secret),
      ...(nodePattern === undefined ? {} : { nodePattern }),
    };
    await this.#records.tokens.change(id, () => kept);
    return { token: joinTokenText({ id, secret, pin }), kept };
  }

  /** Oldest first. */
  async tokens(): Promise<readonly TokenRecord[]> {
    return (await this.#records.tokens.list()).toSorted((one, other) => one.createdAt - other.createdAt);
  }

  /** Nodes that have joined with it stay. Rejects with TOKEN_NOT_FOUND. */
  async deleteToken(id: string): Promise<void> {
    const isThere = (await this.#records.tokens.get(id)) !== undefined;
    if (!isThere || !(await this.#records.tokens.remove(id))) throw joinErrors.TOKEN_NOT_FOUND({ id });
  }

  /** By name. */
  async nodes(): Promise<readonly Registration[]> {
    return (await this.#records.registrations.list()).toSorted((one, other) => (one.node < other.node ? -1 : 1));
  }

  /** Rejects with NODE_UNKNOWN. */
  async revokeNode(node: string): Promise<Registration> {
    return await this.#decide(node, revoke);
  }

  /** Rejects with NODE_UNKNOWN. */
  async releaseNode(node: string): Promise<Registration> {
    return await this.#decide(node, release);
  }

  close(): void {
    this.#client.close();
  }

  async #decide(
    node: string,
    rule: (present: Registration, now: number) => Registration | undefined,
  ): Promise<Registration> {
    const kept = await this.#records.registrations.change(node, (present) => {
      if (present === undefined) throw joinErrors.NODE_UNKNOWN({ node });
      return rule(present, this.#clock.now());
    });
    if (kept === undefined) throw joinErrors.NODE_UNKNOWN({ node });
    return kept;
  }
}
