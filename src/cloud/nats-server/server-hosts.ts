// Under which names and addresses others reach a server that listens at a host.
import { hostname, networkInterfaces } from 'node:os';

const EVERYWHERE: Readonly<Record<string, string>> = { '0.0.0.0': '127.0.0.1', '::': '::1' };

/** Where this machine itself connects. */
export function reachableHost(host: string): string {
  return EVERYWHERE[host] ?? host;
}

export function hostsOf(host: string): readonly string[] {
  if (EVERYWHERE[host] === undefined) return [host];
  const addresses = Object.values(networkInterfaces()).flatMap((all = []) => all.map(({ address }) => address));
  // A link-local address names its interface.
  return [hostname(), 'localhost', ...addresses.map((address) => address.replace(/%.*$/, ''))];
}
