// The nats-server program of this machine.
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { codeOf } from '../../kit/errors.ts';
import { natsServerErrors } from './errors.ts';
import { isAtLeast, OLDEST_VERSION, parseVersion, type ServerVersion } from './server-config.ts';

export interface InstalledServer {
  readonly program: string;
  readonly version: ServerVersion;
}

/** On the PATH, or where Debian puts it, which is not on every user's PATH. */
const PLACES = ['nats-server', '/usr/sbin/nats-server', '/usr/local/sbin/nats-server'];

/** Rejects with NATS_SERVER_MISSING or NATS_SERVER_TOO_OLD, which say what to install. */
export async function installedServer(): Promise<InstalledServer> {
  for (const program of PLACES) {
    const said = await versionText(program);
    if (said === undefined) continue;
    const version = parseVersion(said);
    if (version !== undefined && isAtLeast(version, OLDEST_VERSION)) return { program, version };
    throw natsServerErrors.NATS_SERVER_TOO_OLD({ found: said.trim(), wanted: OLDEST_VERSION.join('.') });
  }
  throw natsServerErrors.NATS_SERVER_MISSING({});
}

async function versionText(program: string): Promise<string | undefined> {
  try {
    const { stdout, stderr } = await promisify(execFile)(program, ['--version']);
    return `${stdout}${stderr}`;
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}
