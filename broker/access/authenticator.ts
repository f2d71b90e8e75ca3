// Whether a password is right. A check is dear on purpose, so that one is made at a time, those of the addresses in turn: who guesses
// passwords waits behind himself. What was right once is known again for nothing, or a site that comes back after a cut would
// wait minutes for its devices.
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import type { Users } from './password-file.ts';
import { isPassword, NOBODYS, type PasswordHash } from './passwords.ts';

export interface Claim {
  readonly user: string;
  readonly password: Uint8Array;
  /** Whence it comes. */
  readonly address: string;
  /** Whether nobody waits for the answer any more. */
  readonly isGivenUp: () => boolean;
}

type Check = () => Promise<void>;

export class Authenticator {
  readonly #users: () => Users;
  readonly #key = randomBytes(32);
  readonly #known = new Map<string, { readonly hash: PasswordHash; readonly mark: Buffer }>();
  /** By address. */
  readonly #waiting = new Map<string, Check[]>();
  #isChecking = false;

  constructor(users: () => Users) {
    this.#users = users;
  }

  /** Never rejects. */
  isRight(claim: Claim): Promise<boolean> {
    const hash = this.#users().get(claim.user);
    if (hash !== undefined && this.#isKnown(claim, hash)) return Promise.resolve(true);
    return new Promise((resolve) => {
      const ofAddress = this.#waiting.get(claim.address) ?? [];
      // A check that fails, as for want of memory, has not shown the password to be right.
      ofAddress.push(async () => resolve(!claim.isGivenUp() && (await this.#check(claim, hash).catch(() => false))));
      this.#waiting.set(claim.address, ofAddress);
      void this.#work();
    });
  }

  async #work(): Promise<void> {
    if (this.#isChecking) return;
    this.#isChecking = true;
    for (let next = this.#next(); next !== undefined; next = this.#next()) await next();
    this.#isChecking = false;
  }

  /** The first of the address whose turn it is, which is the last from here on. */
  #next(): Check | undefined {
    const [entry] = this.#waiting;
    if (entry === undefined) return undefined;
    const [address, checks] = entry;
    const check = checks.shift();
    this.#waiting.delete(address);
    if (checks.length > 0) this.#waiting.set(address, checks);
    return check;
  }

  async #check({ user, password }: Claim, hash: PasswordHash | undefined): Promise<boolean> {
    const isRight = await isPassword(password, hash ?? NOBODYS);
    if (!isRight || hash === undefined || this.#users().get(user)?.text !== hash.text) return false;
    // Of users that are gone meanwhile, nothing is kept.
    for (const name of this.#known.keys()) if (!this.#users().has(name)) this.#known.delete(name);
    this.#known.set(user, { hash, mark: this.#markOf(password) });
    return true;
  }

  #isKnown({ user, password }: Claim, { text }: PasswordHash): boolean {
    const known = this.#known.get(user);
    return known !== undefined && known.hash.text === text && timingSafeEqual(known.mark, this.#markOf(password));
  }

  #markOf(password: Uint8Array): Buffer {
    return createHmac('sha256', this.#key).update(password).digest();
  }
}
