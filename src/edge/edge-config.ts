import type { BrokerLimits } from '../../broker/index.ts';
import { errorTable } from '../kit/errors.ts';
import type { ServerCertificate } from '../kit/http-listener.ts';
import type { Bytes, Duration } from '../kit/units.ts';
import type { Joined } from './identity/identity-files.ts';
import { decodeNodeIdentity, type NodeIdentity } from '../wire/node-identity.ts';

/** What an edge node needs to know; frozen slices of it go to the parts. */
export interface EdgeConfig {
  readonly dataDir: string;
  readonly credentials: NodeIdentity;
  /** Of a node that joined: the credentials, which the hub renews. */
  readonly joined?: Joined;
  readonly mqtt: Address;
  readonly mqttWs: Address | undefined;
  /** Who may come in by MQTT, and what they may do; each is read again when it changes. Absent: no users, and the default rights. */
  readonly mqttAccess?: { readonly users: string; readonly acl: string | undefined };
  /** MQTT over TLS, by itself and under WebSocket, and the files of its certificate; each is read again when it changes. */
  readonly mqttTls?: MqttTls;
  readonly http: Address;
  /** Needed where `http` is an address that other machines reach. */
  readonly httpSecurity?: HttpSecurity;
  /** What facts that wait for the cloud may weigh, and how long they may wait. */
  readonly outbox: { readonly limit: Bytes; readonly age: Duration };
  /** How many changes of each property are kept on this node; 0: none. */
  readonly history: number;
  /** Filters of the MQTT topics that go to the cloud besides KubeEdge's own. */
  readonly uploads: readonly string[];
  /** What MQTT clients may take of this process; each one not given is the broker's own. */
  readonly broker?: Partial<BrokerLimits>;
  readonly version: string;
  /** Default `PRESENCE_TIMES`. */
  readonly presence?: { readonly grace: Duration; readonly startGrace: Duration; readonly signEvery: Duration };
}

export type { BrokerLimits };

export interface MqttTls {
  readonly tcp: Address | undefined;
  readonly ws: Address | undefined;
  readonly certificate: string;
  readonly key: string;
  /** Signs the certificates of clients. */
  readonly clientAuthority: string | undefined;
}

export interface Address {
  readonly host: string;
  /** 0: any free one. */
  readonly port: number;
}

/** What it takes to let programs of other machines ask over HTTP. */
export interface HttpSecurity {
  /** Asked at the first connection over TLS, and anew every hour. */
  readonly certificate: () => Promise<ServerCertificate>;
  /** What they show as a bearer token, for all but `/healthz`. */
  readonly token: string;
}

export const edgeErrors = errorTable({
  EDGE_CREDENTIALS_UNREADABLE: {
    kind: 'refused',
    message: ({ file, problem }: { file: string; problem: string }) =>
      `the credentials file ${file} ${problem}; a hub on this machine writes it when started with --local-node NAME`,
  },
  EDGE_NODE_NAME_CHANGED: {
    kind: 'refused',
    message: ({ dataDir, was, is }: { dataDir: string; was: string; is: string }) =>
      `the data directory ${dataDir} belongs to the node ${was}, and the credentials are for ${is}; use another --data-dir`,
  },
  EDGE_HTTP_NEEDS_TLS: {
    kind: 'refused',
    message: ({ host }: { host: string }) =>
      `--http ${host} is reached from other machines, and plain HTTP would show them the token: give a certificate with --http-cert and --http-key, or listen on 127.0.0.1`,
  },
  EDGE_HTTP_PORT_IN_USE: {
    kind: 'refused',
    message: ({ host, port }: { host: string; port: number }) =>
      `${host}:${port} is in use by another program; choose another address with --http, or stop that program`,
  },
});

/** Checks the text of a credentials file; the error names the file and the field. */
export function parseCredentials(text: string, file: string): NodeIdentity {
  const identity = decodeNodeIdentity(text);
  if ('problem' in identity) throw edgeErrors.EDGE_CREDENTIALS_UNREADABLE({ file, problem: identity.problem });
  return identity;
}
