// Tokens, registrations and the hub's certificate authority, as Kubernetes keeps them.
import type { KubeClient } from '../kubernetes/kube-client.ts';
import { SecretRecords, type RecordKind } from '../kubernetes/secret-records.ts';
import { asString, type JsonObject } from '../../wire/json.ts';
import { decodeToken, type TokenRecord } from './join-token.ts';
import { decodeRegistration, type Registration } from './registration.ts';

/** What of the hub's authority a token must name. */
export interface ShownAuthority {
  /** PEM. */
  readonly ca: string;
}

export const TOKENS: RecordKind<TokenRecord> = {
  prefix: 'skerry-token-',
  label: 'skerry.io/join-token',
  decode: decodeToken,
};

export const REGISTRATIONS: RecordKind<Registration> = {
  prefix: 'skerry-node-',
  label: 'skerry.io/node-registration',
  decode: decodeRegistration,
};

const AUTHORITIES: RecordKind<ShownAuthority> = {
  prefix: 'skerry-',
  label: 'skerry.io/authority',
  decode: (raw: JsonObject) => {
    const ca = asString(raw['ca']);
    return ca === undefined ? undefined : { ca };
  },
};

const AUTHORITY = 'authority';

export class JoinRecords {
  readonly tokens: SecretRecords<TokenRecord>;
  readonly registrations: SecretRecords<Registration>;
  readonly #authorities: SecretRecords<ShownAuthority>;

  constructor(tools: { readonly client: KubeClient }) {
    this.tokens = new SecretRecords(TOKENS, tools);
    this.registrations = new SecretRecords(REGISTRATIONS, tools);
    this.#authorities = new SecretRecords(AUTHORITIES, tools);
  }

  /** PEM, where a hub has shown one. */
  async authorityCertificate(): Promise<string | undefined> {
    return (await this.#authorities.get(AUTHORITY))?.ca;
  }

  async showAuthority(ca: string): Promise<void> {
    await this.#authorities.change(AUTHORITY, (shown) => (shown?.ca === ca ? undefined : { ca }));
  }
}
