// The options of every command. docs/reference/configuration.md is compared with this table.
import { BROKER_OPTIONS } from './broker-options.ts';
import { COMMON_OPTIONS, type OptionDeclaration } from '../options.ts';

export const EDGE_OPTIONS: readonly OptionDeclaration[] = [
  { flags: '--data-dir <dir>', description: 'where the node keeps its twins and facts; one process at a time' },
  {
    flags: '--credentials <file>',
    description: 'the file that a hub on this machine wrote for this node; kept after the first start',
  },
  { flags: '--hub <url>', description: 'the hub to join at the first start, such as https://hub.example:8443' },
  { flags: '--token <token>', description: 'what skerry token create printed there; not kept' },
  { flags: '--node <name>', description: 'the name to join under (default: the host name)' },
  { flags: '--mqtt <address>', description: 'where devices connect', default: '127.0.0.1:1883' },
  {
    flags: '--mqtt-ws <address>',
    description: 'where devices connect by WebSocket, or "off"',
    default: '127.0.0.1:8083',
  },
  {
    flags: '--mqtt-tls <address>',
    description: 'where devices connect by TLS, such as 0.0.0.0:8883; needs --mqtt-cert and --mqtt-key',
  },
  { flags: '--mqtt-wss <address>', description: 'where devices connect by WebSocket over TLS; needs the same' },
  { flags: '--mqtt-cert <file>', description: 'the certificate for TLS, and those that sign it, in PEM' },
  { flags: '--mqtt-key <file>', description: 'its key, in PEM' },
  {
    flags: '--mqtt-client-ca <file>',
    description: 'who signs certificates of clients, in PEM: the common name of one is its user',
  },
  {
    flags: '--mqtt-users <file>',
    description: 'names and passwords as skerry mqtt-user writes them (default: mqtt-users in the data dir)',
  },
  {
    flags: '--mqtt-acl <file>',
    description: 'what users may publish and subscribe to (default: the device of their name)',
  },
  {
    flags: '--http <address>',
    description: 'health, metrics and twins for programs on this node; with --http-cert for others, who show a token',
    default: '127.0.0.1:10550',
  },
  { flags: '--http-cert <file>', description: 'certificate for HTTPS, needed where other machines reach --http' },
  { flags: '--http-key <file>', description: 'its private key' },
  {
    flags: '--outbox-bytes <size>',
    description: 'how much of the disk facts may take that wait for the cloud, such as 200MiB or 2GiB',
    default: '512MiB',
  },
  {
    flags: '--outbox-age <time>',
    description: 'how long facts may wait for the cloud, such as 12h or 30d',
    default: '30d',
  },
  {
    flags: '--history <count>',
    description: 'how many changes of each property are kept on the node for twin history and twin get --at, or "off"',
    default: '100',
  },
  {
    flags: '--upload-topics <filters>',
    description: 'MQTT topic filters, with commas between them: what is published there goes to the cloud; or "none"',
    default: '+/user/#',
  },
  ...BROKER_OPTIONS,
  ...COMMON_OPTIONS,
];

export const MQTT_USER_OPTIONS: readonly OptionDeclaration[] = [
  { flags: '--data-dir <dir>', description: 'of the edge node, whose password file is mqtt-users in there' },
  { flags: '--mqtt-users <file>', description: 'another password file' },
  ...COMMON_OPTIONS,
];

export const MQTT_USER_ADD_OPTIONS: readonly OptionDeclaration[] = [
  {
    flags: '--password-file <file>',
    description: 'the password, on its first line; "-": standard input (default: one is made)',
  },
  ...MQTT_USER_OPTIONS,
];

export const EDGE_REPAIR_OPTIONS: readonly OptionDeclaration[] = [
  { flags: '--data-dir <dir>', description: 'of the edge node, which must not run' },
  {
    flags: '--new-term',
    description: 'lets the next connection take the node’s name over, whoever holds it: the way out of STORE_DIVERGED',
  },
  ...COMMON_OPTIONS,
];

export const HUB_OPTIONS: readonly OptionDeclaration[] = [
  {
    flags: '--data-dir <dir>',
    description: 'where the hub keeps its keys, its NATS server and the embedded API; one process at a time',
  },
  { flags: '--kubeconfig <file>', description: 'a Kubernetes API to use instead of the embedded one' },
  {
    flags: '--nats <url>',
    description:
      'a NATS server to use instead of one of its own: nats://user:password@host:port, or nats://host:port if it believes the operator of this hub',
  },
  {
    flags: '--nats-listen <address>',
    description: 'where its own NATS server listens (default 127.0.0.1:4222, or a free port when that is taken)',
  },
  { flags: '--api <address>', description: 'where the embedded Kubernetes API listens', default: '127.0.0.1:6443' },
  { flags: '--http <address>', description: 'health of the hub', default: '127.0.0.1:8443' },
  {
    flags: '--local-node <name>',
    description: 'admits a node of this machine: writes its credentials to DIR/nodes/NAME.json',
    isList: true,
  },
  {
    flags: '--duplicate-window <time>',
    description: 'how long NATS knows a message of the stream of reports again, such as 2m or 30s',
    default: '2m',
  },
  ...COMMON_OPTIONS,
];

export const DEMO_OPTIONS: readonly OptionDeclaration[] = [
  { flags: '--data-dir <dir>', description: 'where everything of the demo is kept', default: '.skerry/demo' },
  { flags: '--mqtt <address>', description: 'where devices connect (default 127.0.0.1:1883, or a free port)' },
  {
    flags: '--mqtt-ws <address>',
    description: 'where devices connect by WebSocket (default 127.0.0.1:8083, or a free port)',
  },
  {
    flags: '--api <address>',
    description: 'where the Kubernetes API listens (default 127.0.0.1:6443, or a free port)',
  },
  { flags: '--nats-listen <address>', description: 'where NATS listens (default 127.0.0.1:4222, or a free port)' },
  { flags: '--http <address>', description: 'health of the hub (default 127.0.0.1:8443, or a free port)' },
  {
    flags: '--edge-http <address>',
    description: 'health and twins of the edge node (default 127.0.0.1:10550, or a free port)',
  },
  ...COMMON_OPTIONS,
];

export const CHAOS_OPTIONS: readonly OptionDeclaration[] = [
  {
    flags: '--data-dir <dir>',
    description: 'an empty folder to keep everything in (default: a temporary one, removed when nothing is wrong)',
  },
  { flags: '--edges <count>', description: 'edge nodes', default: '1' },
  { flags: '--devices <count>', description: 'devices of each edge node', default: '10' },
  { flags: '--rate <count>', description: 'publications a second, of all devices together', default: '500' },
  { flags: '--for <time>', description: 'how long things are killed and cut', default: '60s' },
  {
    flags: '--kill <parts>',
    description: 'what may be killed: some of edge,hub,nats, or "none"',
    default: 'edge,hub,nats',
  },
  { flags: '--every <time>', description: 'time from one kill to the next', default: '2s' },
  {
    flags: '--partition <time>',
    description: 'how long a link is cut each time that it is, a third of the time in all, or "off"',
    default: 'off',
  },
  {
    flags: '--drop-acks <percent>',
    description: 'share of the acknowledgements of NATS that edge nodes never get, such as 5%',
    default: '0%',
  },
  {
    flags: '--duplicate-window <time>',
    description: 'how long NATS knows a message of the stream of reports again, such as 2m or 30s',
    default: '2m',
  },
  { flags: '--seed <number>', description: 'makes the moves of an earlier run again (default: a random one)' },
  ...COMMON_OPTIONS,
];

export const COUNTER_OPTIONS: readonly OptionDeclaration[] = [
  { flags: '--mqtt <url>', description: 'the edge node to report to', default: 'mqtt://127.0.0.1:1883' },
  { flags: '--device <name>', description: 'which Device it is: NAME or NAMESPACE/NAME', default: 'default/counter' },
  { flags: '--interval <milliseconds>', description: 'time between two counts', default: '1000' },
  ...COMMON_OPTIONS,
];

const SITE_DATA_DIR = '.skerry/demo';

export const TWIN_OPTIONS: readonly OptionDeclaration[] = [
  { flags: '--data-dir <dir>', description: 'of the hub or demo whose Kubernetes API to ask', default: SITE_DATA_DIR },
  { flags: '--kubeconfig <file>', description: 'of the Kubernetes API to ask, instead of a data dir' },
  { flags: '--edge <url>', description: 'ask an edge node directly: http://127.0.0.1:10550' },
  ...COMMON_OPTIONS,
];

/** Of commands about who may join. */
export const JOINING_OPTIONS: readonly OptionDeclaration[] = [
  {
    flags: '--data-dir <dir>',
    description: 'of the hub or demo whose Kubernetes API to ask',
    default: SITE_DATA_DIR,
  },
  { flags: '--kubeconfig <file>', description: 'of the Kubernetes API to ask, instead of a data dir' },
  ...COMMON_OPTIONS,
];

export const TOKEN_CREATE_OPTIONS: readonly OptionDeclaration[] = [
  { flags: '--ttl <time>', description: 'how long it can be used, such as 30m or 2d', default: '1h' },
  { flags: '--uses <count>', description: 'how many nodes may join with it, up to 1000', default: '1' },
  {
    flags: '--node-pattern <pattern>',
    description: 'names of nodes that it is for, with * for anything: plant-7-* (default: any name)',
  },
  ...JOINING_OPTIONS,
];

/** Of commands that vouch for somebody: they need the keys themselves. */
export const VOUCHING_OPTIONS: readonly OptionDeclaration[] = [
  { flags: '--data-dir <dir>', description: 'of the hub or demo whose keys are to be used', default: SITE_DATA_DIR },
  ...COMMON_OPTIONS,
];

export const NATS_USER_CREATE_OPTIONS: readonly OptionDeclaration[] = [
  {
    flags: '--subscribe <subject>',
    description: 'what it may hear, such as skerry.*.up.>; may be given several times',
    isList: true,
  },
  { flags: '--ttl <time>', description: 'how long it is good, such as 30d (default: until it is removed)' },
  ...VOUCHING_OPTIONS,
];

export const NATS_CONFIG_OPTIONS: readonly OptionDeclaration[] = [
  { flags: '--listen <address>', description: 'where the server listens', default: '0.0.0.0:4222' },
  { flags: '--store <dir>', description: 'where the server keeps what it holds', default: '/var/lib/nats' },
  {
    flags: '--cert <file>',
    description: 'on the machine of the server: its certificate, in PEM; not needed on loopback',
  },
  { flags: '--key <file>', description: 'on the machine of the server: its key, in PEM' },
  ...VOUCHING_OPTIONS,
];

export const CERTIFICATE_OPTIONS: readonly OptionDeclaration[] = [
  { flags: '--out <dir>', description: 'the folder for tls.crt, tls.key and ca.crt', default: '.' },
  ...VOUCHING_OPTIONS,
];

/** Of commands that write into the spec. */
export const TWIN_ACCEPT_OPTIONS: readonly OptionDeclaration[] = TWIN_OPTIONS.filter(
  ({ flags }) => !flags.startsWith('--edge'),
);

/** Of commands that only an edge node can answer. */
export const TWIN_EDGE_OPTIONS: readonly OptionDeclaration[] = [
  {
    flags: '--data-dir <dir>',
    description: 'of the demo or edge node to ask, where --edge does not name one',
    default: SITE_DATA_DIR,
  },
  { flags: '--edge <url>', description: 'the edge node to ask: http://127.0.0.1:10550' },
  ...COMMON_OPTIONS,
];

export const TWIN_GET_OPTIONS: readonly OptionDeclaration[] = [
  ...TWIN_OPTIONS.slice(0, -COMMON_OPTIONS.length),
  {
    flags: '--at <time>',
    description:
      'as it was then, as far as the history of its edge node reaches: 2026-05-01T12:00:00Z, or so long ago, such as 10m',
  },
  ...COMMON_OPTIONS,
];

export const TWIN_HISTORY_OPTIONS: readonly OptionDeclaration[] = [
  ...TWIN_EDGE_OPTIONS.slice(0, -COMMON_OPTIONS.length),
  { flags: '--since <time>', description: 'what is not older: 2026-05-01T12:00:00Z, or so long ago, such as 10m' },
  { flags: '--limit <count>', description: 'the newest so many, up to 10000', default: '100' },
  ...COMMON_OPTIONS,
];
