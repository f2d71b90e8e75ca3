// What a CONNECT says of who it is, and where it came in. Pure.
import { isIPv4 } from 'node:net';
import { isUserName } from './user-names.ts';

/** Where a connection came in. */
export interface Door {
  /** Whether whoever comes in here must say who it is: everywhere but on loopback. */
  readonly asksWho: boolean;
  /** Whom the certificate names that the client has shown. */
  readonly certificate?: string;
}

export const LOOPBACK_DOOR: Door = Object.freeze({ asksWho: false });

/** Of a socket that listens on this address: what reaches it on another than loopback may come from another machine. */
export function doorOf(host: string): Door {
  return isLoopback(host) ? LOOPBACK_DOOR : { asksWho: true };
}

export const isLoopback = (host: string): boolean =>
  host === 'localhost' || host === '::1' || (isIPv4(host) && host.startsWith('127.'));

interface Connecting {
  readonly username?: string | undefined;
  readonly password?: Uint8Array | undefined;
}

export type Standing =
  | { readonly kind: 'anonymous' }
  | { readonly kind: 'certified'; readonly user: string }
  | { readonly kind: 'claims'; readonly user: string; readonly password: Uint8Array }
  | { readonly kind: 'refused'; readonly problem: string };

/**
 * On loopback, as long as there are no users, whatever a client calls itself means nothing, as it does in KubeEdge: then every
 * program of this machine may come in.
 */
export function standingOf({ username, password }: Connecting, door: Door, hasUsers: boolean): Standing {
  if (door.certificate !== undefined) return certified(door.certificate, username);
  const isNamed = username !== undefined && username !== '';
  if (isNamed && (door.asksWho || hasUsers))
    return { kind: 'claims', user: username, password: password ?? new Uint8Array() };
  if (!door.asksWho) return { kind: 'anonymous' };
  return { kind: 'refused', problem: 'it gives no user name, and only programs of this machine may come without' };
}

function certified(user: string, username: string | undefined): Standing {
  if (!isUserName(user)) return { kind: 'refused', problem: 'the common name of its certificate is no name of a user' };
  if (username === undefined || username === '' || username === user) return { kind: 'certified', user };
  return { kind: 'refused', problem: `its certificate is of ${user}, and its user name is another` };
}
