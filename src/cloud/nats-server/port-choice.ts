// At which port the managed server listens: the one asked for by name, the one of last time, the usual one, or any free one.
import { createServer } from 'node:net';
import { codeOf } from '../../kit/errors.ts';
import { natsServerErrors } from './errors.ts';

export interface WantedAddress {
  readonly host: string;
  /** 0: any. */
  readonly port: number;
  /** False: `port` is only the usual one, and another will do. */
  readonly portAskedFor: boolean;
}

/** The ports to try, best first; 0 stands for any free one. Pure. */
export function portsToTry(wanted: WantedAddress, remembered: number | undefined): readonly number[] {
  if (wanted.portAskedFor && wanted.port !== 0) return [wanted.port];
  return [...new Set([remembered ?? wanted.port, wanted.port, 0])];
}

/** Rejects with NATS_PORT_IN_USE when no port of the list is free. */
export async function choosePort(wanted: WantedAddress, remembered: number | undefined): Promise<number> {
  const candidates = portsToTry(wanted, remembered);
  for (const candidate of candidates) {
    const free = await freePort(wanted.host, candidate);
    if (free !== undefined) return free;
  }
  throw natsServerErrors.NATS_PORT_IN_USE({ host: wanted.host, port: candidates[0] ?? wanted.port });
}

/** The port, or for 0 one that is free; `undefined` where it is in use. */
export function freePort(host: string, port: number): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', (error) => (codeOf(error) === 'EADDRINUSE' ? resolve(undefined) : reject(error)));
    probe.listen({ host, port, exclusive: true }, () => {
      const address = probe.address();
      const found = typeof address === 'object' && address !== null ? address.port : port;
      probe.close(() => resolve(found));
    });
  });
}
