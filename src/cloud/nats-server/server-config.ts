// The configuration file of the managed nats-server, as text. Pure.
import { createHash } from 'node:crypto';

/** Who vouches for the server's users: it believes the operator, and the accounts that the operator signed. */
export interface ServerOperator {
  readonly jwt: string;
  readonly systemAccount: { readonly publicKey: string; readonly jwt: string };
  readonly account: { readonly publicKey: string; readonly jwt: string };
}

export interface ServerFiles {
  readonly config: string;
  readonly pid: string;
  readonly log: string;
  readonly store: string;
  /** Where the server keeps the JWTs of its accounts. */
  readonly accounts: string;
  /** Where the server listens, remembered for the next start. */
  readonly address: string;
}

export interface ServerTls {
  readonly certificateFile: string;
  readonly keyFile: string;
}

export interface ServerShape {
  readonly name: string;
  readonly host: string;
  readonly port: number;
  readonly files: ServerFiles;
  readonly operator: ServerOperator;
  readonly tls: ServerTls | undefined;
  readonly version: ServerVersion;
}

export type ServerVersion = readonly [major: number, minor: number, patch: number];

export const OLDEST_VERSION: ServerVersion = [2, 9, 0];

/** A message of the streams' full size, and its headers. */
export const MAX_PAYLOAD = 1024 * 1024 + 64 * 1024;

export function configText(shape: ServerShape): string {
  const { files, operator, tls } = shape;
  return [
    '# Written by the Skerry hub at each start; changes are lost.',
    identityLine(shape),
    `server_name: ${quoted(shape.name)}`,
    `listen: ${quoted(`${bracketed(shape.host)}:${shape.port}`)}`,
    `pid_file: ${quoted(files.pid)}`,
    `log_file: ${quoted(files.log)}`,
    `logfile_size_limit: ${16 * 1024 * 1024}`,
    `max_payload: ${MAX_PAYLOAD}`,
    'write_deadline: "10s"',
    'ping_interval: "20s"',
    `jetstream { store_dir: ${quoted(files.store)}${syncOption(shape.version)} }`,
    ...(tls === undefined
      ? []
      : [`tls { cert_file: ${quoted(tls.certificateFile)}, key_file: ${quoted(tls.keyFile)} }`]),
    ...trustLines(operator, files.accounts),
    '',
  ].join('\n');
}

/** Whom the server believes, and where it keeps what it is told of accounts. */
export function trustLines({ jwt, systemAccount, account }: ServerOperator, accountsDir: string): readonly string[] {
  return [
    `operator: ${jwt}`,
    `system_account: ${systemAccount.publicKey}`,
    `resolver { type: full, dir: ${quoted(accountsDir)}, allow_delete: false }`,
    'resolver_preload {',
    ...[systemAccount, account].map((each) => `  ${each.publicKey}: ${each.jwt}`),
    '}',
  ];
}

/** Before 2.10 an unknown field: the server would not start. */
function syncOption(version: ServerVersion): string {
  return isAtLeast(version, [2, 10, 0]) ? ', sync_interval: always' : '';
}

/**
 * Says of whom the server is one and where it listens: what a running server cannot take over from a changed file. A JWT is
 * another at each signing and says the same.
 */
export function identityLine({ name, host, port, operator, tls }: ServerShape): string {
  const { systemAccount, account } = operator;
  const fixed = [name, host, port, systemAccount.publicKey, account.publicKey, tls === undefined ? 'plain' : 'tls'];
  return `# ${createHash('sha256').update(JSON.stringify(fixed)).digest('base64url')}`;
}

export const quoted = (text: string): string => JSON.stringify(text);

export const bracketed = (host: string): string => (host.includes(':') ? `[${host}]` : host);

/** Out of `nats-server: v2.9.10`. */
export function parseVersion(text: string): ServerVersion | undefined {
  const match = /v?(\d+)\.(\d+)\.(\d+)/.exec(text);
  return match === null ? undefined : [Number(match[1]), Number(match[2]), Number(match[3])];
}

export function isAtLeast(version: ServerVersion, wanted: ServerVersion): boolean {
  const place = version.findIndex((part, index) => part !== wanted[index]);
  return place === -1 || (version[place] ?? 0) > (wanted[place] ?? 0);
}
