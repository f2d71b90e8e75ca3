// NATS users for programs in the cloud, made by name beside the hub: each may hear what it was made for and do nothing else. Their
// files are the only place where they are known; who is removed is told to the server by the hub.
import { join } from 'node:path';
import type { Clock } from '../kit/clock.ts';
import { silentLogger } from '../kit/logger.ts';
import type { Duration } from '../kit/units.ts';
import { claimsOf } from '../nats/nats-jwt.ts';
import { createKeyPair } from '../nats/nkeys.ts';
import { asArray, asObject, asString } from '../wire/json.ts';
import { Authority } from './authority/authority.ts';
import { hubErrors } from './errors.ts';
import { hearingProblem, isNatsUserName } from './nats-user-rules.ts';
import { namesIn, readIfThere, removeFile, writePrivateFile } from './private-files.ts';
import { removedIn, removedUsersFile } from './removed-users.ts';

export interface WantedNatsUser {
  readonly name: string;
  /** Subject filters. */
  readonly subscribe: readonly string[];
  /** Absent: until it is removed. */
  readonly life?: Duration;
}

export interface NatsUser {
  readonly name: string;
  readonly subscribe: readonly string[];
  /** JWT and key, in the form that NATS programs read. */
  readonly file: string;
  readonly publicKey: string;
  /** Milliseconds since the epoch. */
  readonly expiresAt: number | undefined;
}

const ENDING = '.creds';

/** The authority of the hub in that data dir. Rejects with AUTHORITY_MISSING where none has run: none is made. */
export async function authorityIn(dataDir: string, clock: Clock): Promise<Authority> {
  if ((await readIfThere(join(dataDir, 'authority', 'account.seed'))) === undefined)
    throw hubErrors.AUTHORITY_MISSING({ dataDir });
  return Authority.open(dataDir, { clock, logger: silentLogger });
}

export class NatsUsers {
  readonly #dataDir: string;
  readonly #clock: Clock;

  constructor(config: { readonly dataDir: string }, { clock }: { readonly clock: Clock }) {
    this.#dataDir = config.dataDir;
    this.#clock = clock;
  }

  /** PEM, for programs: whom to believe behind a `tls:` URL. Written with the first user. */
  get caFile(): string {
    return join(this.#dataDir, 'nats-users', 'ca.pem');
  }

  /** Rejects with NATS_USER_INVALID, NATS_USER_EXISTS or AUTHORITY_MISSING, and then nothing has changed. */
  async create({ name, subscribe, life }: WantedNatsUser): Promise<NatsUser> {
    if (!isNatsUserName(name)) throw hubErrors.NATS_USER_INVALID({ problem: `"${name}" is no name of a user` });
    if (subscribe.length === 0) throw hubErrors.NATS_USER_INVALID({ problem: 'there is no subject to hear' });
    for (const filter of subscribe) {
      const problem = hearingProblem(filter);
      if (problem !== undefined) throw hubErrors.NATS_USER_INVALID({ problem: `"${filter}" ${problem}` });
    }
    const file = this.#fileOf(name);
    if ((await readIfThere(file)) !== undefined) throw hubErrors.NATS_USER_EXISTS({ name });
    const authority = await authorityIn(this.#dataDir, this.#clock);
    const { publicKey, seed } = createKeyPair('user');
    const inbox = `_INBOX_${name}.>`;
    const expiresAt = life === undefined ? undefined : this.#clock.now() + life;
    const jwt = authority.mintUser({
      ...{ name, publicKey, permissions: { publish: [inbox], subscribe: [...subscribe, inbox] } },
      ...(expiresAt === undefined ? {} : { expiresAt: new Date(expiresAt) }),
    });
    await writePrivateFile(this.caFile, authority.caCertificate);
    await writePrivateFile(file, credentialsText(jwt, seed));
    return { name, subscribe, file, publicKey, expiresAt };
  }

  /** By name. */
  async list(): Promise<readonly NatsUser[]> {
    const names = (await namesIn(join(this.#dataDir, 'nats-users'))).filter((file) => file.endsWith(ENDING)).sort();
    const users = await Promise.all(names.map((file) => this.#read(file.slice(0, -ENDING.length))));
    return users.filter((user) => user !== undefined);
  }

  /** From here on, or the hub's next start, the server refuses it. Rejects with NATS_USER_UNKNOWN. */
  async remove(name: string): Promise<NatsUser> {
    const user = isNatsUserName(name) ? await this.#read(name) : undefined;
    if (user === undefined) throw hubErrors.NATS_USER_UNKNOWN({ name });
    const file = removedUsersFile(this.#dataDir);
    const removed = new Map(removedIn(await readIfThere(file))).set(
      user.publicKey,
      Math.floor(this.#clock.now() / 1000),
    );
    await writePrivateFile(file, `${JSON.stringify(Object.fromEntries(removed))}\n`);
    await removeFile(user.file);
    return user;
  }

  async #read(name: string): Promise<NatsUser | undefined> {
    const file = this.#fileOf(name);
    const jwt = /-----BEGIN NATS USER JWT-----\s+(\S+)/.exec((await readIfThere(file)) ?? '')?.[1];
    const claims = jwt === undefined ? undefined : claimsOf(jwt);
    if (claims === undefined) return undefined;
    const heard = asArray(asObject(asObject(claims.nats)?.['sub'])?.['allow']) ?? [];
    const subscribe = heard
      .map((filter) => asString(filter) ?? '')
      .filter((filter) => hearingProblem(filter) === undefined);
    return { name, subscribe, file, publicKey: claims.subject, expiresAt: claims.expiresAt };
  }

  #fileOf(name: string): string {
    return join(this.#dataDir, 'nats-users', `${name}${ENDING}`);
  }
}

const credentialsText = (jwt: string, seed: string): string => `-----BEGIN NATS USER JWT-----
${jwt}
------END NATS USER JWT------

-----BEGIN USER NKEY SEED-----
${seed}
------END USER NKEY SEED------
`;
