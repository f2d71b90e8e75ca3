// Who may come in and do what, as the two files say now: they may change while the broker runs. Whoever is not known, and came where
// nobody has to say who it is, is anonymous.
import { DEFAULT_ACL, parseAcl, type Acl } from './acl.ts';
import { Authenticator, type Claim } from './authenticator.ts';
import { NO_RIGHTS, type Rights } from './grants.ts';
import { parseUsers, type Users } from './password-file.ts';

/** Who a client has shown to be. */
export interface Identity {
  readonly user: string;
  /** By a certificate; otherwise by a password, whose hash was this. */
  readonly isCertified: boolean;
  readonly hash?: string;
}

export class AccessControl {
  #users: Users = new Map();
  #acl: Acl = parseAcl(DEFAULT_ACL, 'the default');
  readonly #authenticator = new Authenticator(() => this.#users);
  readonly #listeners = new Set<() => void>();
  #edition = 0;

  /** Changes whenever rights may have. */
  get edition(): number {
    return this.#edition;
  }

  get hasUsers(): boolean {
    return this.#users.size > 0;
  }

  /** Of anonymous clients; `undefined`: they may do what any program of this machine may. */
  get anonymous(): Rights | undefined {
    return this.#acl.anonymous;
  }

  /** What the password file holds; `undefined`: there is none. Throws BROKER_USERS_INVALID, and then changes nothing. */
  setUsers(text: string | undefined, file: string): void {
    this.#users = parseUsers(text ?? '', file);
    this.#change();
  }

  /** What the access file holds. Throws BROKER_ACL_INVALID, and then changes nothing. */
  setAcl(text: string, file: string): void {
    this.#acl = parseAcl(text, file);
    this.#change();
  }

  /** Told after each change, until it is ended. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Who it is; `undefined` where name and password do not belong together. Never rejects. */
  async identify(claim: Claim): Promise<Identity | undefined> {
    if (!(await this.#authenticator.isRight(claim))) return undefined;
    const hash = this.#users.get(claim.user)?.text;
    return hash === undefined ? undefined : { user: claim.user, isCertified: false, hash };
  }

  /** None where the user is gone, or has another password by now. */
  rightsOf({ user, isCertified, hash }: Identity, clientId: string): Rights {
    const kept = this.#users.get(user)?.text;
    const isGone = !isCertified && (kept === undefined || (hash !== undefined && hash !== kept));
    return isGone ? NO_RIGHTS : this.#acl.rightsOf(user, clientId);
  }

  #change(): void {
    this.#edition += 1;
    for (const listener of this.#listeners) listener();
  }
}
