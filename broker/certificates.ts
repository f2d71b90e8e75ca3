// The certificate that MQTT is served with over TLS, and who signs those of clients. It may change while the broker runs: who connects
// from then on gets the new one, and who is connected stays.
import { randomBytes } from 'node:crypto';
import { createSecureContext, type SecureContextOptions, type Server } from 'node:tls';
import { messageOf } from '../src/kit/errors.ts';
import { brokerErrors } from './errors.ts';

export type CertificatePart = 'key' | 'certificate' | 'clientAuthority';

/** Resumes connections that had another certificate, or another authority for clients, no more. */
const TICKET_KEY_BYTES = 48;

export class Certificates {
  readonly #parts = new Map<CertificatePart, string>();
  readonly #asksClients: boolean;
  readonly #servers = new Set<Server>();
  #options: SecureContextOptions = {};

  constructor(config: { readonly asksClients: boolean }) {
    this.#asksClients = config.asksClients;
  }

  /** Whether clients may show who they are by a certificate. */
  get asksClients(): boolean {
    return this.#asksClients;
  }

  get options(): SecureContextOptions {
    return this.#options;
  }

  /**
   * In force as soon as the parts fit together: of a new key and a new certificate, one comes first. Throws
   * BROKER_CERTIFICATE_INVALID where they do not, and then what was in force stands.
   */
  take(part: CertificatePart, text: string): void {
    this.#parts.set(part, text);
    const [key, cert, ca] = [
      this.#parts.get('key'),
      this.#parts.get('certificate'),
      this.#parts.get('clientAuthority'),
    ];
    if (key === undefined || cert === undefined || (this.#asksClients && ca === undefined)) return;
    const options: SecureContextOptions = { key, cert, minVersion: 'TLSv1.2', ...(ca === undefined ? {} : { ca }) };
    try {
      createSecureContext(options);
    } catch (error) {
      throw brokerErrors.BROKER_CERTIFICATE_INVALID({ part, problem: messageOf(error) }, error);
    }
    this.#options = options;
    for (const server of this.#servers) this.#renew(server);
  }

  /** Until it closes, the server has what is in force. */
  serve(server: Server): void {
    this.#servers.add(server);
    server.once('close', () => this.#servers.delete(server));
  }

  #renew(server: Server): void {
    server.setSecureContext(this.#options);
    server.setTicketKeys(randomBytes(TICKET_KEY_BYTES));
  }
}
