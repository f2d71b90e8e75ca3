// Configuration for a nats-server that somebody else runs, as text: one that believes the operator of a hub. Pure.
import { bracketed, MAX_PAYLOAD, quoted, trustLines, type ServerOperator } from './server-config.ts';

export interface ExternalShape {
  readonly host: string;
  readonly port: number;
  /** Folder of the server's own. */
  readonly store: string;
  readonly operator: ServerOperator;
  /** Paths on the machine of the server. Absent: it speaks no TLS, which is for loopback alone. */
  readonly tls?: { readonly certificateFile: string; readonly keyFile: string };
}

export function externalConfigText({ host, port, store, operator, tls }: ExternalShape): string {
  return [
    '# For a nats-server 2.9 or newer that believes the operator of a Skerry hub.',
    `listen: ${quoted(`${bracketed(host)}:${port}`)}`,
    `max_payload: ${MAX_PAYLOAD}`,
    `jetstream { store_dir: ${quoted(store)} }`,
    ...(tls === undefined
      ? []
      : [`tls { cert_file: ${quoted(tls.certificateFile)}, key_file: ${quoted(tls.keyFile)} }`]),
    ...trustLines(operator, `${store}/accounts`),
    '',
  ].join('\n');
}
