// Who there is, as the password file says it: a line `NAME:HASH` for each user. Pure.
import { brokerErrors } from '../errors.ts';
import { parseHash, type PasswordHash } from './passwords.ts';
import { isUserName } from './user-names.ts';

export type Users = ReadonlyMap<string, PasswordHash>;

/** Throws BROKER_USERS_INVALID, which names file and line and never repeats what stands there. */
export function parseUsers(text: string, file: string): Users {
  const users = new Map<string, PasswordHash>();
  for (const [at, line] of text.split(/\r?\n/).entries()) {
    if (line.trim() === '' || line.startsWith('#')) continue;
    const end = line.indexOf(':');
    const name = line.slice(0, end);
    const hash = parseHash(line.slice(end + 1).trim());
    if (end < 1 || !isUserName(name) || hash === undefined)
      throw brokerErrors.BROKER_USERS_INVALID({ file, line: at + 1 });
    users.set(name, hash);
  }
  return users;
}

export function formatUsers(users: Users): string {
  return [...users].map(([name, { text }]) => `${name}:${text}\n`).join('');
}
