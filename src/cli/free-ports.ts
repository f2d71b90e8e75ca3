import { isFree } from './addresses.ts';

/** Below what Linux gives to outgoing connections: such a port is still ours when a killed process wants it again, and a client that keeps calling it cannot end up connected with itself. */
const RANGE = { first: 12_000, count: 20_000 };
const ATTEMPTS = 1000;

/** That many loopback ports that nobody listens on, to be listened on again and again. */
export async function steadyPorts(count: number): Promise<readonly number[]> {
  const ports = new Set<number>();
  for (let attempt = 0; ports.size < count && attempt < ATTEMPTS; attempt += 1) {
    const port = RANGE.first + Math.floor(Math.random() * RANGE.count);
    if (!ports.has(port) && (await isFree({ host: '127.0.0.1', port }))) ports.add(port);
  }
  return [...ports];
}
