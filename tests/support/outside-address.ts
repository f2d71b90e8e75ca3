import assert from 'node:assert/strict';
import { networkInterfaces } from 'node:os';

/** An address of this machine by which it looks like another one to itself: not loopback. */
export function outsideAddress(): string {
  const found = Object.values(networkInterfaces())
    .flatMap((addresses) => addresses ?? [])
    .find(({ family, internal }) => family === 'IPv4' && !internal);
  assert.ok(found, 'this test needs a network interface with an IPv4 address beside loopback');
  return found.address;
}
