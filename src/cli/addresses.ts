import { createServer } from 'node:net';
import { cliErrors } from './errors.ts';

export interface SocketAddress {
  readonly host: string;
  readonly port: number;
}

const EXPECTED = 'HOST:PORT, :PORT or PORT, with a port from 0 (any free one) to 65535';

/** `127.0.0.1:1883`, `[::1]:1883`, `:1883` or `1883`; without a host it is loopback. */
export function parseAddress(option: string, text: string): SocketAddress {
  const match = /^(?:(?:\[([0-9a-fA-F:]+)\]|([^:[\]]*)):)?(\d{1,5})$/.exec(text);
  const port = Number(match?.[3] ?? Number.NaN);
  if (match === null || !(port <= 65535)) throw cliErrors.OPTION_INVALID({ option, value: text, expected: EXPECTED });
  const host = match[1] ?? match[2] ?? '';
  return { host: host === '' ? '127.0.0.1' : host, port };
}

/** Whether a listener could be opened there now. */
export async function isFree({ host, port }: SocketAddress): Promise<boolean> {
  const server = createServer();
  return new Promise((resolve) => {
    server.once('error', () => resolve(false));
    server.listen(port, host, () => server.close(() => resolve(true)));
  });
}
