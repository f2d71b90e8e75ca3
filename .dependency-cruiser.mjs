// Who may import whom, executed. `npm run arch` runs these rules; `tests/architecture` runs them again over planted violations, so
// a rule that stopped working is itself a failure. A part may import itself and what its line names; everything else of ours is
// forbidden, also folders that do not exist yet. ARCHITECTURE.md draws the picture.

const OURS = '^(src|broker|mappers|simulator|tests|bench|examples)/';
const PRODUCT = '^(src|broker|mappers|simulator)/';

const only = (...paths) => `^(${paths.join('|')})`;
const exactly = (name) => `(^|/)node_modules/${name}/`;

/** Parts: own folder, what it may import of ours, and why. */
const parts = [
  { part: 'src/kit', may: [], because: 'Tools know no Skerry word, so every part can stand on them.' },
  { part: 'src/model', may: ['src/kit/'], because: 'Words have no input, no output and no clock.' },
  {
    part: 'src/wire',
    may: ['src/model/', 'src/kit/'],
    because: 'Wire forms are shared by processes that share nothing else.',
  },
  {
    part: 'src/nats',
    may: ['src/wire/', 'src/model/', 'src/kit/'],
    because: 'The road between edge and cloud does not know who travels on it.',
  },
  {
    part: 'broker',
    may: ['src/wire/', 'src/model/', 'src/kit/'],
    because: 'The broker asks a port, the publish gate, and never learns what a twin is.',
  },
  {
    part: 'simulator',
    may: ['src/wire/', 'src/model/', 'src/kit/'],
    because: 'A simulated device speaks MQTT as any device does, or it proves nothing.',
  },
  {
    part: 'src/edge',
    may: ['broker/', 'src/nats/', 'src/wire/', 'src/model/', 'src/kit/'],
    because: 'Edge and cloud meet on NATS only; neither can be built against the inside of the other.',
  },
  {
    part: 'src/cloud',
    may: ['src/nats/', 'src/wire/', 'src/model/', 'src/kit/'],
    because: 'The hub reaches any Kubernetes API through a kubeconfig, and nodes through NATS: one code path each.',
  },
  { part: 'src/kube-api', may: ['src/kit/'], because: 'The embedded API knows Kubernetes, not Skerry.' },
];

/** Inside the edge: each stop knows its neighbours; `edge-node.ts` alone sees all. */
const edgeParts = [
  { part: 'store', may: [] },
  { part: 'identity', may: [] },
  { part: 'meta', may: ['store/'] },
  { part: 'twin', may: ['store/'] },
  { part: 'outbox', may: ['store/'] },
  { part: 'sessions', may: ['store/'] },
  { part: 'ingress', may: ['twin/', 'outbox/', 'sessions/', 'store/'] },
  { part: 'egress', may: ['twin/'] },
  { part: 'uplink', may: ['outbox/', 'store/'] },
  { part: 'downlink', may: ['meta/', 'twin/', 'store/'] },
  { part: 'admin', may: ['edge-config\\.ts$'] },
];

/** Inside the hub: both directions stand on `kubernetes`; `hub.ts` alone sees all. */
const cloudParts = [
  { part: 'kubernetes', may: [] },
  { part: 'upstream', may: ['kubernetes/', 'forgeries\\.ts$'] },
  { part: 'downstream', may: ['kubernetes/', 'forgeries\\.ts$', 'reconcile-queue\\.ts$'] },
  { part: 'nodes', may: ['kubernetes/', 'forgeries\\.ts$', 'reconcile-queue\\.ts$'] },
  { part: 'authority', may: ['private-files\\.ts$'] },
  { part: 'nats-server', may: ['authority/', 'removed-users\\.ts$', 'private-files\\.ts$', 'processes\\.ts$'] },
  { part: 'admission', may: ['authority/', 'nats-server/', 'private-files\\.ts$'] },
  { part: 'join', may: ['kubernetes/', 'admission/node-names\\.ts$', 'admin/http-route\\.ts$'] },
  { part: 'admin', may: [] },
];

/** One outside library, one home: the day it is replaced, one folder changes. `docs/reference/dependencies.md` says why each is here. */
export const libraryHomes = {
  aedes: ['broker/'],
  mqemitter: ['broker/'],
  'mqtt-packet': ['broker/'],
  ws: ['broker/'],
  'classic-level': ['src/edge/store/', 'src/kube-api/storage/'],
  nats: ['src/nats/'],
  '@kubernetes/client-node': ['src/cloud/kubernetes/'],
  '@peculiar/x509': ['src/kit/certificates\\.ts$'],
  'reflect-metadata': ['src/kit/certificates\\.ts$'],
  rfc6902: ['src/kube-api/rules/'],
  yaml: ['src/kube-api/rest/', 'src/kube-api/security/', 'src/cloud/kubernetes/', 'src/cli/'],
  mqtt: ['simulator/mqtt-session\\.ts$', 'mappers/framework/', 'src/cli/'],
  pino: ['src/kit/logger\\.ts$'],
  commander: ['src/cli/'],
};

/** Node's own modules that reach outside the process: where each may be used. */
export const nodeHomes = {
  fs: {
    homes: [
      'src/kit/watched-files\\.ts$',
      'src/edge/identity/',
      'src/edge/store/',
      'src/cloud/data-dir-lock\\.ts$',
      'src/cloud/private-files\\.ts$',
      'src/cloud/processes\\.ts$',
      'src/cloud/nats-server/',
      'src/cloud/admission/',
      'src/cloud/kubernetes/',
      'src/kube-api/security/',
      'src/kube-api/storage/',
      'src/cli/',
    ],
    because:
      'Files are opened where what they hold is understood: stores, credentials, the managed server, the command line.',
  },
  child_process: {
    homes: ['src/cloud/nats-server/', 'src/cli/'],
    because: 'Whoever starts a process must also end it; few places are trusted with that.',
  },
};

const ruleName = (text) => text.replace(/^@/, '').replaceAll('/', '-');

const forbid = (name, comment, from, to) => ({ name, severity: 'error', comment, from, to });

const partRules = parts.map(({ part, may, because }) =>
  forbid(
    `${ruleName(part)}-imports`,
    because,
    { path: `^${part}/` },
    { path: OURS, pathNot: only(`${part}/`, ...may) },
  ),
);

const insideRules = (root, inner, because) =>
  inner.map(({ part, may }) =>
    forbid(
      `${ruleName(root)}-${part}-imports`,
      because,
      { path: `^${root}/${part}/` },
      { path: `^${root}/`, pathNot: `^${root}/(${[`${part}/`, ...may].join('|')})` },
    ),
  );

const homeRules = Object.entries(libraryHomes).map(([library, homes]) =>
  forbid(
    `one-home-${ruleName(library)}`,
    `${library} is a guest with one home; the rest of the house speaks our words.`,
    { path: PRODUCT, pathNot: only(...homes) },
    { path: exactly(library) },
  ),
);

const nodeRules = Object.entries(nodeHomes).map(([module, { homes, because }]) =>
  forbid(
    `one-home-node-${ruleName(module)}`,
    because,
    { path: PRODUCT, pathNot: only(...homes) },
    { path: `^(node:)?${module}(/|$)`, dependencyTypes: ['core'] },
  ),
);

/** @type {import('dependency-cruiser').IConfiguration} */
export default {
  forbidden: [
    forbid(
      'no-cycles',
      'Two files that need each other are one file, or one idea in the wrong place.',
      {},
      { circular: true },
    ),
    forbid(
      'nothing-unresolvable',
      'An import that is not found is checked by no other rule: everything would pass silently.',
      {},
      { couldNotResolve: true },
    ),
    forbid(
      'no-undeclared-library',
      'A library that package.json does not name is there by accident and gone tomorrow.',
      {},
      { dependencyTypes: ['npm-no-pkg', 'npm-unknown'] },
    ),
    forbid(
      'no-development-library',
      'What is not installed with the program cannot be imported by it.',
      { path: PRODUCT },
      { dependencyTypes: ['npm-dev'], dependencyTypesNot: ['type-only'] },
    ),
    forbid(
      'every-library-has-a-home',
      'A new library gets a line in libraryHomes, and with it one home and one reason.',
      { path: PRODUCT },
      { path: '(^|/)node_modules/', pathNot: Object.keys(libraryHomes).map(exactly).join('|') },
    ),
    ...partRules,
    forbid(
      'broker-only-from-its-neighbours',
      'On the edge, devices are heard in ingress, answered in egress and remembered in sessions; nothing else speaks MQTT.',
      {
        path: '^src/edge/',
        pathNot: only(
          'src/edge/ingress/',
          'src/edge/egress/',
          'src/edge/sessions/',
          'src/edge/(edge-node|edge-config|mqtt-doors)\\.ts$',
        ),
      },
      { path: '^broker/' },
    ),
    forbid(
      'broker-only-by-its-index',
      'The broker has one door, so its inside can change without asking anybody.',
      { path: OURS, pathNot: only('broker/', 'tests/') },
      { path: '^broker/', pathNot: '^broker/index\\.ts$' },
    ),
    ...insideRules('src/edge', edgeParts, 'A stop knows its neighbours; only edge-node.ts sees the whole edge.'),
    ...insideRules('src/cloud', cloudParts, 'Up and down do not know each other; only hub.ts sees the whole hub.'),
    forbid(
      'edge-composed-at-its-root',
      'Only the command line builds an edge node, and it sees the root files alone.',
      { path: '^src/cli/' },
      { path: '^src/edge/[^/]+/' },
    ),
    forbid(
      'hub-composed-at-its-root',
      'Only the command line builds a hub, and it sees the root files and the Kubernetes client alone.',
      { path: '^src/cli/' },
      { path: '^src/cloud/[^/]+/', pathNot: '^src/cloud/kubernetes/' },
    ),
    forbid(
      'kube-api-composed-at-its-root',
      'Only the command line builds the embedded Kubernetes API, and it sees the root file alone.',
      { path: '^src/cli/' },
      { path: '^src/kube-api/', pathNot: '^src/kube-api/kube-api\\.ts$' },
    ),
    forbid(
      'kubernetes-knows-no-nats',
      'Stop 9 is two stops from the stream: what comes from NATS reaches Kubernetes through upstream alone.',
      { path: '^src/cloud/kubernetes/' },
      { path: '^src/nats/' },
    ),
    forbid(
      'words-do-no-work',
      'Model and wire decide and translate; a file, a socket or a timer there would hide in every process.',
      { path: '^src/(model|wire)/' },
      { dependencyTypes: ['core'] },
    ),
    forbid(
      'cli-imported-by-nobody',
      'The command line is where processes begin; whoever imports it starts one by accident.',
      { path: PRODUCT, pathNot: '^src/cli/' },
      { path: '^src/cli/' },
    ),
    forbid(
      'tests-imported-by-nobody',
      'The program must not need what is not shipped.',
      { path: PRODUCT },
      { path: '^(tests|bench|examples)/' },
    ),
    ...homeRules,
    ...nodeRules,
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^(dist|\\.cache)/' },
    // Imports of types count: they are knowledge too.
    tsPreCompilationDeps: true,
    skipAnalysisNotInRules: true,
    // Without these, packages that are ESM only are not found, and the one-home rules pass silently.
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['node', 'import', 'require', 'types', 'default'],
      extensions: ['.ts', '.mjs', '.js', '.cjs', '.json', '.d.ts'],
      mainFields: ['module', 'main', 'types'],
    },
  },
};
