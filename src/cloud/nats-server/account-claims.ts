// What the NATS server knows of our account: above all, whose JWTs are void. Kept in the data dir, put into the configuration of a
// server that starts, and told to one that runs, which cuts off whom it concerns within the second.
import { join } from 'node:path';
import type { Deadline } from '../../kit/deadline.ts';
import { messageOf } from '../../kit/errors.ts';
import type { Logger } from '../../kit/logger.ts';
import { HEALTHY, type Health, type Service } from '../../kit/service.ts';
import { WatchedFiles } from '../../kit/watched-files.ts';
import { natsErrors } from '../../nats/errors.ts';
import { NatsLink } from '../../nats/nats-link.ts';
import { asInteger, asObject, asString, parseJson } from '../../wire/json.ts';
import type { Authority } from '../authority/authority.ts';
import { removedIn, removedUsersFile } from '../removed-users.ts';
import { readIfThere, writePrivateFile } from '../private-files.ts';
import { lasting } from './lasting-user.ts';
import type { ServerOperator } from './server-config.ts';

export interface AccountClaimsTools {
  readonly authority: () => Authority;
  readonly serverUrl: () => string;
  readonly logger: Logger;
}

const UPDATE = '$SYS.REQ.CLAIMS.UPDATE';

export class AccountClaims implements Service {
  readonly name = 'account-claims';
  readonly #file: string;
  readonly #removedFile: string;
  readonly #tools: AccountClaimsTools;
  readonly #link: NatsLink;
  /** Of users who were made by name, and removed. */
  #removed: ReadonlyMap<string, number> = new Map();
  readonly #removals: WatchedFiles;

  constructor(config: { readonly dataDir: string }, tools: AccountClaimsTools) {
    this.#file = join(config.dataDir, 'nats', 'revocations.json');
    this.#removedFile = removedUsersFile(config.dataDir);
    this.#tools = tools;
    const proof = lasting((publicKey) => tools.authority().mintSystemUser(publicKey, 'skerry-hub'));
    this.#link = new NatsLink(
      {
        clientName: 'skerry-hub-claims',
        inboxPrefix: '_INBOX__system',
        credentials: () => ({ url: tools.serverUrl(), ...proof() }),
        ca: () => tools.authority().caCertificate,
      },
      tools,
    );
    const file = this.#removedFile;
    const take = (text: string | undefined): void => this.#remove(text);
    this.#removals = new WatchedFiles('nats-users', [{ file, isOptional: true, take }], tools);
    this.#link.onConnected(() => void this.#tellAgain());
  }

  get ended(): Promise<unknown> {
    return this.#link.ended;
  }

  async start(signal: AbortSignal): Promise<void> {
    await this.#removals.start(signal);
    await this.#link.start(signal);
  }

  async stop(deadline: Deadline): Promise<void> {
    await this.#removals.stop(deadline);
    await this.#link.stop(deadline);
  }

  health(): Health {
    return HEALTHY;
  }

  /** What a server must be started with to believe our users; nobody who was thrown out gets in. */
  async operator(): Promise<ServerOperator> {
    this.#removed = removedIn(await readIfThere(this.#removedFile));
    const { operatorJwt: jwt, systemAccount, account } = this.#tools.authority();
    return { jwt, systemAccount, account: { ...account, jwt: await this.#accountJwt() } };
  }

  /** User public keys, each with the second: JWTs issued at or before it are void. */
  async revocations(): Promise<ReadonlyMap<string, number>> {
    const kept = asObject(parseJson((await readIfThere(this.#file)) ?? '')) ?? {};
    return new Map(
      Object.entries(kept).flatMap(([key, at]) => (Number.isSafeInteger(at) ? [[key, at as number]] : [])),
    );
  }

  /**
   * These are void from now on, and no others. Resolves when the server has it. Rejects with NATS_UNAVAILABLE while there is none:
   * it is kept, and told at the next connect.
   */
  async revokeUsers(revocations: ReadonlyMap<string, number>): Promise<void> {
    await writePrivateFile(this.#file, `${JSON.stringify(Object.fromEntries(revocations))}\n`);
    await this.#tell();
  }

  #remove(text: string | undefined): void {
    this.#removed = removedIn(text);
    if (this.#link.connected) void this.#tellAgain();
  }

  async #accountJwt(): Promise<string> {
    return this.#tools.authority().accountJwt(new Map([...this.#removed, ...(await this.revocations())]));
  }

  async #tell(): Promise<void> {
    const answer = await this.#link.request(UPDATE, Buffer.from(await this.#accountJwt()));
    const body = asObject(parseJson(answer.data)) ?? {};
    if (asObject(body['data'])?.['code'] === 200) return;
    const error = asObject(body['error']) ?? {};
    const description = asString(error['description']) ?? 'no description';
    throw natsErrors.NATS_REFUSED({ subject: UPDATE, code: asInteger(error['code']) ?? 0, description });
  }

  async #tellAgain(): Promise<void> {
    try {
      await this.#tell();
    } catch (error) {
      this.#tools.logger.warn({ reason: messageOf(error) }, 'the NATS server does not know yet who was thrown out');
    }
  }
}
