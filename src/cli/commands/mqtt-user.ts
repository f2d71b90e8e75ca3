// The password file of an edge node. A node that runs reads it again by itself.
import { randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Command } from 'commander';
import { formatUsers, hashPassword, isUserName, parseHash, parseUsers, type Users } from '../../../broker/index.ts';
import { codeOf } from '../../kit/errors.ts';
import { cliErrors } from '../errors.ts';
import { requiredSetting, settingsOf, textSetting, type Settings } from '../options.ts';
import { printJson, printLine } from '../output.ts';
import { MQTT_USER_ADD_OPTIONS, MQTT_USER_OPTIONS } from './option-tables.ts';

/** 144 bits, in letters that need no quotes in a shell. */
const PASSWORD_BYTES = 18;
const SHORTEST = 8;

export function usersFileOf(dataDir: string, settings: Settings): string {
  return textSetting(settings, 'mqtt-users') ?? join(dataDir, 'mqtt-users');
}

/** Prints the password where it made one, and nothing keeps it. */
export async function runMqttUserAdd(command: Command, name: string): Promise<number> {
  const settings = await settingsOf(command, MQTT_USER_ADD_OPTIONS);
  const file = fileOf(settings);
  if (!isUserName(name)) {
    const expected = 'the name of a device, NAMESPACE/NAME, or any other without spaces, ":", "+" and "#"';
    throw cliErrors.OPTION_INVALID({ option: 'NAME', value: name, expected });
  }
  const given = passwordOf(textSetting(settings, 'password-file'));
  const password = given ?? randomBytes(PASSWORD_BYTES).toString('base64url');
  const hash = parseHash(await hashPassword(password));
  if (hash !== undefined) writeUsers(file, new Map([...readUsers(file), [name, hash]]));
  const made = given === undefined ? { password } : {};
  if (settings['output'] === 'json') printJson({ user: name, file, ...made });
  else printLine(given === undefined ? `${name}: ${password}` : `${name} has the given password`);
  return 0;
}

export async function runMqttUserRemove(command: Command, name: string): Promise<number> {
  const settings = await settingsOf(command, MQTT_USER_OPTIONS);
  const file = fileOf(settings);
  const users = new Map(readUsers(file));
  if (!users.delete(name)) throw cliErrors.MQTT_USER_UNKNOWN({ name, file });
  writeUsers(file, users);
  if (settings['output'] === 'json') printJson({ user: name, file });
  else printLine(`${name} may not come in any more`);
  return 0;
}

export async function runMqttUserList(command: Command): Promise<number> {
  const settings = await settingsOf(command, MQTT_USER_OPTIONS);
  const names = [...readUsers(fileOf(settings)).keys()].sort();
  if (settings['output'] === 'json') printJson({ users: names });
  else for (const name of names) printLine(name);
  return 0;
}

function fileOf(settings: Settings): string {
  const file = textSetting(settings, 'mqtt-users');
  return file ?? usersFileOf(requiredSetting(settings, 'data-dir', 'the data directory of the edge node'), settings);
}

/** On the command line it would stand in the list of processes, and in the history of the shell. */
function passwordOf(file: string | undefined): string | undefined {
  if (file === undefined) return undefined;
  const [line = ''] = readFileSync(file === '-' ? 0 : file, 'utf8').split(/\r?\n/, 1);
  if (line.length >= SHORTEST) return line;
  const expected = `a file whose first line is a password of at least ${SHORTEST} characters`;
  throw cliErrors.OPTION_INVALID({ option: '--password-file', value: file, expected });
}

function readUsers(file: string): Users {
  try {
    return parseUsers(readFileSync(file, 'utf8'), file);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return new Map();
    throw error;
  }
}

/** Replaced whole: an edge node that reads it meanwhile sees the one or the other. */
function writeUsers(file: string, users: Users): void {
  mkdirSync(dirname(file), { recursive: true });
  const draft = `${file}.new`;
  writeFileSync(draft, formatUsers(users), { mode: 0o600 });
  renameSync(draft, file);
}
