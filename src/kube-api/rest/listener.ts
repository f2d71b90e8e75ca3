// The HTTPS socket: binds, tells where, and lets go within a deadline.
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import type { Deadline } from '../../kit/deadline.ts';
import { codeOf } from '../../kit/errors.ts';
import { kubeApiErrors } from '../errors.ts';
import type { KeyAndCertificate } from '../../kit/key-and-certificate.ts';

export interface ListenAddress {
  readonly host: string;
  readonly port: number;
}

type Handler = (request: IncomingMessage, response: ServerResponse) => void;

export class Listener {
  readonly #server: Server;

  constructor({ key, certificate }: KeyAndCertificate, handler: Handler) {
    this.#server = createServer({ key, cert: certificate, keepAliveTimeout: 60_000, minVersion: 'TLSv1.2' }, handler);
  }

  /** Resolves with the address that clients use. */
  async open({ host, port }: ListenAddress): Promise<ListenAddress> {
    try {
      this.#server.listen(port, host);
      await once(this.#server, 'listening');
    } catch (error) {
      const isTaken = codeOf(error) === 'EADDRINUSE';
      const refusal = isTaken ? kubeApiErrors.KUBE_API_PORT_IN_USE : kubeApiErrors.KUBE_API_LISTEN_REFUSED;
      throw refusal({ host, port }, error);
    }
    return { host: reachableHost(host), port: (this.#server.address() as AddressInfo).port };
  }

  /** New connections are refused at once; requests in flight end by the deadline. */
  async close(deadline: Deadline): Promise<void> {
    if (!this.#server.listening) return;
    const closed = once(this.#server, 'close');
    this.#server.close();
    this.#server.closeIdleConnections();
    const isDone = await deadline.wait(
      closed.then(() => true),
      false,
    );
    if (isDone) return;
    this.#server.closeAllConnections();
    await closed;
  }
}

/** Where a client on this machine reaches a server that listens everywhere. */
function reachableHost(host: string): string {
  if (host === '0.0.0.0' || host === '') return '127.0.0.1';
  return host === '::' ? '::1' : host;
}

export function urlOf({ host, port }: ListenAddress): string {
  return `https://${host.includes(':') ? `[${host}]` : host}:${port}`;
}
