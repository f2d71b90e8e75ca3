// Who vouches for everybody: a certificate authority, and the NATS operator with its two accounts, made at the first start, in files that only the owner reads.
import { join } from 'node:path';
import type { Life } from '../../kit/certificates.ts';
import type { Clock } from '../../kit/clock.ts';
import type { KeyAndCertificate } from '../../kit/key-and-certificate.ts';
import type { Logger } from '../../kit/logger.ts';
import { createKeyPair, keyPairFromSeed, type KeyKind, type NatsKeyPair } from '../../nats/nkeys.ts';
import { encodeJwt } from '../../nats/nats-jwt.ts';
import type { JsonObject } from '../../wire/json.ts';
import { readIfThere, writePrivateFile } from '../private-files.ts';

export interface UserRequest {
  readonly name: string;
  readonly publicKey: string;
  readonly permissions: { readonly publish: readonly string[]; readonly subscribe: readonly string[] } | 'all';
  readonly limits?: { readonly subscriptions?: number; readonly payload?: number };
  readonly expiresAt?: Date;
}

export interface CertificateRequest {
  readonly hosts: readonly string[];
  readonly commonName: string;
}

interface Keys {
  readonly ca: KeyAndCertificate;
  readonly operator: NatsKeyPair;
  readonly system: NatsKeyPair;
  readonly account: NatsKeyPair;
}

const DAY_MS = 86_400_000;
const CA_DAYS = 3650;
const SERVER_DAYS = 825;
const FREE = { subs: -1, data: -1, payload: -1, imports: -1, exports: -1, wildcards: true, conn: -1, leaf: 0 };
const STORAGE = { mem_storage: -1, disk_storage: -1, streams: -1, consumer: -1 };
const SYSTEM_PERMISSIONS = { publish: ['$SYS.REQ.CLAIMS.UPDATE'], subscribe: ['_INBOX__system.>'] };

export class Authority {
  readonly #keys: Keys;
  readonly #clock: Clock;

  private constructor(keys: Keys, clock: Clock) {
    this.#keys = keys;
    this.#clock = clock;
  }

  static async open(dataDir: string, tools: { readonly clock: Clock; readonly logger: Logger }): Promise<Authority> {
    const key = (name: string, kind: KeyKind): Promise<NatsKeyPair> =>
      keptKey(join(dataDir, 'authority', `${name}.seed`), kind);
    const keys = {
      ca: await keptCa(join(dataDir, 'authority', 'ca.pem'), tools.clock),
      operator: await key('operator', 'operator'),
      system: await key('system-account', 'account'),
      account: await key('account', 'account'),
    };
    return new Authority(keys, tools.clock);
  }

  /** PEM. */
  get caCertificate(): string {
    return this.#keys.ca.certificate;
  }

  /** For a server with those names and addresses; the certificate is followed by the authority's own. */
  async issueCertificate(request: CertificateRequest): Promise<KeyAndCertificate> {
    const { key, certificate } = await (
      await maker()
    ).issueServerCertificate(this.#keys.ca, request, lifeUntil(this.#clock, SERVER_DAYS));
    return { key, certificate: certificate + this.caCertificate };
  }

  get operatorJwt(): string {
    const { operator, system } = this.#keys;
    return this.#signed(operator, operator, 'skerry', { type: 'operator', system_account: system.publicKey });
  }

  get systemAccount(): { readonly publicKey: string; readonly jwt: string } {
    const { operator, system } = this.#keys;
    const jwt = this.#signed(operator, system, 'system', { type: 'account', limits: FREE });
    return { publicKey: system.publicKey, jwt };
  }

  get account(): { readonly publicKey: string } {
    return { publicKey: this.#keys.account.publicKey };
  }

  /** @param revocations user public key to second: JWTs issued at or before it are void */
  accountJwt(revocations: ReadonlyMap<string, number>): string {
    const { operator, account } = this.#keys;
    const revoked = revocations.size === 0 ? {} : { revocations: Object.fromEntries(revocations) };
    return this.#signed(operator, account, 'skerry', { type: 'account', limits: { ...FREE, ...STORAGE }, ...revoked });
  }

  mintUser(user: UserRequest): string {
    return this.#user(this.#keys.account, user);
  }

  mintSystemUser(publicKey: string, name: string): string {
    return this.#user(this.#keys.system, { name, publicKey, permissions: SYSTEM_PERMISSIONS });
  }

  #user(issuer: NatsKeyPair, { name, publicKey, permissions, limits = {}, expiresAt }: UserRequest): string {
    const rights =
      permissions === 'all' ? {} : { pub: { allow: permissions.publish }, sub: { allow: permissions.subscribe } };
    const { subscriptions = -1, payload = -1 } = limits;
    return encodeJwt(issuer, {
      subject: publicKey,
      name,
      issuedAt: this.#clock.now(),
      ...(expiresAt === undefined ? {} : { expiresAt: expiresAt.getTime() }),
      nats: { type: 'user', subs: subscriptions, data: -1, payload, ...rights },
    });
  }

  #signed(issuer: NatsKeyPair, subject: NatsKeyPair, name: string, nats: JsonObject): string {
    return encodeJwt(issuer, { subject: subject.publicKey, name, issuedAt: this.#clock.now(), nats });
  }
}

/** Loaded only when something is to be made. */
const maker = () => import('../../kit/certificates.ts');

/** From the beginning of time: a node whose clock is at 1970 can check it. */
const lifeUntil = (clock: Clock, days: number): Life => ({
  notBefore: new Date(0),
  notAfter: new Date(clock.now() + days * DAY_MS),
});

async function keptCa(file: string, clock: Clock): Promise<KeyAndCertificate> {
  const kept = await readIfThere(file);
  if (kept !== undefined) {
    const start = kept.indexOf('-----BEGIN CERTIFICATE-----');
    return { key: kept.slice(0, start), certificate: kept.slice(start) };
  }
  const made = await (await maker()).createAuthority('skerry', lifeUntil(clock, CA_DAYS));
  await writePrivateFile(file, `${made.key}${made.certificate}`);
  return made;
}

async function keptKey(file: string, kind: KeyKind): Promise<NatsKeyPair> {
  const kept = (await readIfThere(file))?.trim();
  if (kept !== undefined && kept !== '') return keyPairFromSeed(kept);
  const made = createKeyPair(kind);
  await writePrivateFile(file, `${made.seed}\n`);
  return made;
}
