// NATS users who were removed by name: written beside the hub, read by it.
import { join } from 'node:path';
import { asObject, parseJson } from '../wire/json.ts';

/** User key → the second at or before which its JWTs are void. Unreadable text voids nobody. */
export function removedIn(text: string | undefined): ReadonlyMap<string, number> {
  const kept = asObject(parseJson(text ?? '')) ?? {};
  return new Map(Object.entries(kept).flatMap(([key, at]) => (Number.isSafeInteger(at) ? [[key, at as number]] : [])));
}

export const removedUsersFile = (dataDir: string): string => join(dataDir, 'nats-users', 'removed.json');
