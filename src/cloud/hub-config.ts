// What a hub is told. The command line makes it from options, environment and file; every part gets its own slice.
import { mebibytes, seconds, type Bytes, type Duration } from '../kit/units.ts';
import { DUPLICATE_WINDOW } from '../nats/stream-plan.ts';
import { NODE_TIMES, type NodesConfig } from './nodes/nodes.ts';

export type HubNats =
  /** A nats-server of the hub's own. `portAskedFor` false: `port` is only the usual one, and another will do. Port 0: any. */
  | { readonly kind: 'managed'; readonly host: string; readonly port: number; readonly portAskedFor: boolean }
  /** A server of somebody else's that believes this hub's operator. */
  | { readonly kind: 'operator'; readonly url: string }
  /** One whose users somebody made by hand. */
  | { readonly kind: 'external'; readonly url: string; readonly user: string; readonly password: string };

export interface HubConfig {
  readonly dataDir: string;
  readonly kubeconfigFile: string;
  /** Other hubs may serve the same Kubernetes API: this one leads only while it holds the lease. */
  readonly leaderLease: boolean;
  /** Folder with the custom resource definitions (`deploy/crds`). */
  readonly crdDir: string;
  readonly nats: HubNats;
  /** Nodes of this machine to admit: each gets `<dataDir>/nodes/<name>.json` for `skerry edge --credentials`. Managed NATS only. */
  readonly localNodes: readonly string[];
  readonly http: { readonly host: string; readonly port: number };
  /** At most one status write per device in this time. */
  readonly statusInterval: Duration;
  /** What the stream of reports may hold; the oldest go first. */
  readonly upStreamBytes: Bytes;
  /** How long the stream of reports knows a message id again. */
  readonly duplicateWindow: Duration;
  readonly nodes: NodesConfig;
  /** How long credentials of nodes that joined are good; default `JWT_LIFE`. */
  readonly jwtLife?: Duration;
}

export const DEFAULT_NATS_PORT = 4222;
export const DEFAULT_HTTP_PORT = 8443;

export const HUB_DEFAULTS = Object.freeze({
  nats: { kind: 'managed', host: '127.0.0.1', port: DEFAULT_NATS_PORT, portAskedFor: false },
  leaderLease: false,
  localNodes: [],
  http: { host: '127.0.0.1', port: DEFAULT_HTTP_PORT },
  statusInterval: seconds(1),
  upStreamBytes: mebibytes(1024),
  duplicateWindow: DUPLICATE_WINDOW,
  nodes: NODE_TIMES,
} as const satisfies Partial<HubConfig>);
