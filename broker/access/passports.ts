// Who each client is, and what it may do now. Nothing is looked up for anonymous clients but that they are.
import { mayPublish } from '../access-policy.ts';
import type { AccessControl, Identity } from './access-control.ts';
import type { Denials } from './denials.ts';
import { NO_RIGHTS, type Rights } from './grants.ts';

interface Passport {
  readonly identity: Identity;
  readonly clientId: string;
  rights: Rights;
  /** Of the access control, when the rights were read. */
  edition: number;
}

interface Bearer {
  /** `null` before its CONNECT is accepted. */
  readonly id: string | null;
}

export class Passports {
  readonly #access: AccessControl;
  readonly #denials: Denials;
  readonly #passports = new WeakMap<object, Passport>();

  constructor(access: AccessControl, denials: Denials) {
    this.#access = access;
    this.#denials = denials;
  }

  issue(client: object, clientId: string, identity: Identity): void {
    const { edition } = this.#access;
    const rights = this.#access.rightsOf(identity, clientId);
    this.#passports.set(client, { identity, clientId, rights, edition });
  }

  identityOf(client: object): Identity | undefined {
    return this.#passports.get(client)?.identity;
  }

  /** `undefined`: an anonymous client that may do everything. */
  rightsOf(client: object): Rights | undefined {
    const passport = this.#passports.get(client);
    if (passport === undefined) return this.#access.anonymous;
    const { edition } = this.#access;
    if (passport.edition !== edition) {
      passport.edition = edition;
      passport.rights = this.#access.rightsOf(passport.identity, passport.clientId);
    }
    return passport.rights;
  }

  /** Of these and those below, every refusal is counted and said. */
  mayPublish(client: Bearer, topic: string, action: 'publish' | 'will' = 'publish'): boolean {
    const rights = this.rightsOf(client);
    if (mayPublish(topic) && (rights === undefined || rights.mayPublish(topic))) return true;
    this.#deny(client, action, topic);
    return false;
  }

  maySubscribe(client: Bearer, filter: string): boolean {
    const rights = this.rightsOf(client);
    if (rights === undefined || rights.maySubscribe(filter)) return true;
    this.#deny(client, 'subscribe', filter);
    return false;
  }

  /** Asked of each delivery: a session may hold what its user may not hear any more. */
  mayHear(client: Bearer, topic: string): boolean {
    const rights = this.rightsOf(client);
    if (rights === undefined || rights.mayHear(topic)) return true;
    this.#deny(client, 'receive', topic);
    return false;
  }

  /** Whether its user is gone, or lost the right to something that it listens to. */
  isOutdated(client: object, filters: Iterable<string>): boolean {
    const rights = this.rightsOf(client);
    if (rights === undefined) return false;
    if (rights === NO_RIGHTS) return true;
    for (const filter of filters) if (!rights.maySubscribe(filter)) return true;
    return false;
  }

  #deny(client: Bearer, action: 'publish' | 'subscribe' | 'receive' | 'will', topic: string): void {
    const passport = this.#passports.get(client);
    const name = passport?.clientId ?? client.id ?? '';
    this.#denials.add(action, { client: name, user: passport?.identity.user, topic });
  }
}
