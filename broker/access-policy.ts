// Who may publish where, decided without looking at anything but names. Anonymous clients may use every device topic; what only
// the broker may say is closed to all of them.

import { isIP } from 'node:net';

const OWN_TOPICS = ['$skerry', '$SYS'];

/** Whether a client may publish to this topic. */
export function mayPublish(topic: string): boolean {
  if (!topic.startsWith('$')) return true;
  return !OWN_TOPICS.some((root) => topic === root || topic.startsWith(`${root}/`));
}

/**
 * Whether a WebSocket may be opened from a web page of this origin. Programs send no origin. A browser does, and would let any
 * page on the internet reach the broker on its user's own loopback: only pages of this machine, or of the host that was asked
 * for, are let in. A name says nothing of the host unless a certificate shows it: the page's owner can make its name mean this
 * machine (DNS rebinding).
 */
export function mayOpenFrom(origin: string | undefined, host: string | undefined, isEncrypted = false): boolean {
  if (origin === undefined) return true;
  if (!URL.canParse(origin)) return false;
  const { hostname } = new URL(origin);
  if (LOOPBACK.has(hostname)) return true;
  if (host === undefined || hostname !== hostnameOf(host)) return false;
  return isEncrypted || isIP(hostname.replace(/^\[|\]$/g, '')) !== 0;
}

const LOOPBACK = new Set(['localhost', '127.0.0.1', '[::1]']);

function hostnameOf(host: string): string | undefined {
  return URL.canParse(`http://${host}`) ? new URL(`http://${host}`).hostname : undefined;
}
