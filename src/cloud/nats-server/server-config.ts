// The configuration file of the managed nats-server, as text. Pure.

export interface NatsUser {
  readonly user: string;
  readonly password: string;
  /** Absent: all rights. */
  readonly permissions?: { readonly publish: readonly string[]; readonly subscribe: readonly string[] };
}

export interface ServerFiles {
  readonly config: string;
  readonly pid: string;
  readonly log: string;
  readonly store: string;
  /** Where the server listens, remembered for the next start. */
  readonly address: string;
}

export interface ServerShape {
  readonly name: string;
  readonly host: string;
  readonly port: number;
  readonly files: ServerFiles;
  readonly users: readonly NatsUser[];
  readonly version: ServerVersion;
}

export type ServerVersion = readonly [major: number, minor: number, patch: number];

export const OLDEST_VERSION: ServerVersion = [2, 9, 0];

/** A message of the streams' full size, and its headers. */
const MAX_PAYLOAD = 1024 * 1024 + 64 * 1024;

export function configText(shape: ServerShape): string {
  const { files } = shape;
  return [
    '# Written by the Skerry hub at each start; changes are lost.',
    `server_name: ${quoted(shape.name)}`,
    `listen: ${quoted(`${bracketed(shape.host)}:${shape.port}`)}`,
    `pid_file: ${quoted(files.pid)}`,
    `log_file: ${quoted(files.log)}`,
    `logfile_size_limit: ${16 * 1024 * 1024}`,
    `max_payload: ${MAX_PAYLOAD}`,
    'write_deadline: "10s"',
    'ping_interval: "20s"',
    `jetstream { store_dir: ${quoted(files.store)}${syncOption(shape.version)} }`,
    'authorization { users: [',
    ...shape.users.map((user) => `  ${userText(user)}`),
    '] }',
    '',
  ].join('\n');
}

/** Before 2.10 an unknown field: the server would not start. */
function syncOption(version: ServerVersion): string {
  return isAtLeast(version, [2, 10, 0]) ? ', sync_interval: always' : '';
}

function userText({ user, password, permissions }: NatsUser): string {
  const limits = permissions === undefined ? '' : `, permissions: ${JSON.stringify(permissions)}`;
  return `{ user: ${quoted(user)}, password: ${quoted(password)}${limits} }`;
}

const quoted = (text: string): string => JSON.stringify(text);

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
