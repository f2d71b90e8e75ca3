// The import rules hold on this tree, and each of them still bites: every rule is broken on purpose in a copy of the tree.
import assert from 'node:assert/strict';
import { existsSync, readdirSync } from 'node:fs';
import { cp, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, relative, resolve } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { cruise, CRUISED, loadRules, type Cruise, type Rules } from './cruise.ts';

/** A file that breaks a rule: where it stands, and what it imports (a file of the tree, or a package). */
interface Plant {
  readonly rule: string;
  readonly file: string;
  readonly imports: string;
}

const plant = (rule: string, folder: string, imports: string): Plant => ({
  rule,
  file: `${folder}/planted-${rule}.ts`,
  imports,
});

const MODEL = 'src/model/twin.ts';
const WIRE = 'src/wire/mqtt-topics.ts';
const NATS = 'src/nats/nats-link.ts';
const BROKER = 'broker/index.ts';
const CLI = 'src/cli/main.ts';
const UPSTREAM = 'src/cloud/upstream/upstream.ts';
const DOWNSTREAM = 'src/cloud/downstream/downstream.ts';
const TWIN = 'src/edge/twin/twin-book.ts';
const UPLINK = 'src/edge/uplink/uplink.ts';

const PLANTS: readonly Plant[] = [
  plant('nothing-unresolvable', 'src/kit', './does-not-exist.ts'),
  plant('no-undeclared-library', 'src/kit', 'readable-stream'),
  plant('no-development-library', 'src/kit', 'fast-check'),
  plant('every-library-has-a-home', 'src/kit', 'aedes-persistence'),
  plant('src-kit-imports', 'src/kit', MODEL),
  plant('src-model-imports', 'src/model', WIRE),
  plant('src-wire-imports', 'src/wire', NATS),
  plant('src-nats-imports', 'src/nats', 'src/edge/edge-node.ts'),
  plant('broker-imports', 'broker', UPSTREAM),
  plant('simulator-imports', 'simulator', BROKER),
  plant('src-edge-imports', 'src/edge', 'src/cloud/hub.ts'),
  plant('src-cloud-imports', 'src/cloud', 'src/kube-api/kube-api.ts'),
  plant('src-kube-api-imports', 'src/kube-api', MODEL),
  plant('broker-only-from-its-neighbours', 'src/edge/uplink', BROKER),
  plant('broker-only-by-its-index', 'src/edge/ingress', 'broker/broker.ts'),
  plant('src-edge-store-imports', 'src/edge/store', TWIN),
  plant('src-edge-identity-imports', 'src/edge/identity', TWIN),
  plant('src-edge-meta-imports', 'src/edge/meta', TWIN),
  plant('src-edge-twin-imports', 'src/edge/twin', 'src/edge/outbox/outbox.ts'),
  plant('src-edge-outbox-imports', 'src/edge/outbox', TWIN),
  plant('src-edge-sessions-imports', 'src/edge/sessions', TWIN),
  plant('src-edge-ingress-imports', 'src/edge/ingress', UPLINK),
  plant('src-edge-egress-imports', 'src/edge/egress', 'src/edge/outbox/outbox.ts'),
  plant('src-edge-uplink-imports', 'src/edge/uplink', TWIN),
  plant('src-edge-downlink-imports', 'src/edge/downlink', UPLINK),
  plant('src-edge-admin-imports', 'src/edge/admin', TWIN),
  plant('src-cloud-kubernetes-imports', 'src/cloud/kubernetes', UPSTREAM),
  plant('src-cloud-upstream-imports', 'src/cloud/upstream', DOWNSTREAM),
  plant('src-cloud-downstream-imports', 'src/cloud/downstream', UPSTREAM),
  plant('src-cloud-nodes-imports', 'src/cloud/nodes', UPSTREAM),
  plant('src-cloud-nats-server-imports', 'src/cloud/nats-server', UPSTREAM),
  plant('src-cloud-admission-imports', 'src/cloud/admission', UPSTREAM),
  plant('src-cloud-authority-imports', 'src/cloud/authority', UPSTREAM),
  plant('src-cloud-join-imports', 'src/cloud/join', UPSTREAM),
  plant('src-cloud-admin-imports', 'src/cloud/admin', UPSTREAM),
  plant('edge-composed-at-its-root', 'src/cli', TWIN),
  plant('hub-composed-at-its-root', 'src/cli', UPSTREAM),
  plant('kube-api-composed-at-its-root', 'src/cli', 'src/kube-api/running-api.ts'),
  plant('kubernetes-knows-no-nats', 'src/cloud/kubernetes', NATS),
  plant('words-do-no-work', 'src/model', 'node:fs'),
  plant('cli-imported-by-nobody', 'src/edge', CLI),
  plant('tests-imported-by-nobody', 'src/kit', 'tests/support/wait-until.ts'),
];

/** A circle of one file is reported like any other. */
const CIRCLE: Plant = { rule: 'no-cycles', file: 'src/kit/planted-circle.ts', imports: 'src/kit/planted-circle.ts' };

function plantsOf({ libraryHomes, nodeHomes }: Rules): readonly Plant[] {
  const nameOf = (library: string): string => library.replace(/^@/, '').replaceAll('/', '-');
  const libraries = Object.keys(libraryHomes).map((name) => plant(`one-home-${nameOf(name)}`, 'src/model', name));
  const node = Object.keys(nodeHomes).map((name) => plant(`one-home-node-${name}`, 'src/nats', `node:${name}`));
  return [...PLANTS, CIRCLE, ...libraries, ...node];
}

describe('the import rules', () => {
  let rules: Rules;
  let plants: readonly Plant[];
  let planted: Cruise;
  let directory: string;

  before(async () => {
    rules = await loadRules();
    plants = plantsOf(rules);
    directory = await mkdtemp(join(tmpdir(), 'skerry-rules-'));
    await copyTree(directory);
    for (const each of plants) await writeFile(join(directory, each.file), sourceOf(each));
    planted = await cruise(directory);
  });

  after(async () => {
    await rm(directory, { recursive: true, force: true });
  });

  it('hold on this tree', async () => {
    const { violations, modules } = await cruise(process.cwd());

    assert.deepEqual(
      violations.map(({ rule, from, to }) => `${rule.name}: ${from} → ${to}`),
      [],
    );
    assert.ok(modules.length > 100, `only ${modules.length} modules were looked at`);
  });

  it('each report the violation planted for them', () => {
    const reported = new Set(planted.violations.map(({ rule, from }) => `${rule.name}: ${from}`));

    const silent = plants.filter(({ rule, file }) => !reported.has(`${rule}: ${file}`));

    assert.deepEqual(silent, [], 'these rules did not report the violation planted for them');
  });

  it('are each broken by a plant, so that none goes untried', () => {
    const tried = new Set(plants.map(({ rule }) => rule));

    const untried = rules.default.forbidden.map(({ name }) => name).filter((name) => !tried.has(name));

    assert.deepEqual(untried, []);
  });

  it('plant imports of files that exist, so that a moved file does not make a rule look well', () => {
    const files = plants.filter((each) => each !== CIRCLE && isOurs(each)).map(({ imports }) => imports);

    assert.deepEqual(
      files.filter((file) => !existsSync(file)),
      [],
    );
  });

  it('give each a sentence of reason', () => {
    for (const { name, comment } of rules.default.forbidden) assert.match(comment, /^.{20,}\.$/, name);
  });

  it('cover every part of the tree', () => {
    const names = new Set(rules.default.forbidden.map(({ name }) => name));
    const folders = ['src', 'src/edge', 'src/cloud'].flatMap(foldersIn).concat(CRUISED.filter((top) => top !== 'src'));

    const ungoverned = folders.filter(
      (folder) => folder !== 'src/cli' && !names.has(`${folder.replaceAll('/', '-')}-imports`),
    );

    assert.deepEqual(ungoverned, [], 'these folders have no import rule in .dependency-cruiser.mjs');
  });

  it('find every library that the product imports', () => {
    const resolved = planted.modules.flatMap(({ dependencies }) =>
      dependencies.map((dependency) => dependency.resolved),
    );
    const isFound = (library: string): boolean => resolved.some((path) => path.includes(`node_modules/${library}/`));

    const lost = Object.keys(rules.libraryHomes).filter((library) => !isFound(library));

    assert.deepEqual(lost, [], 'dependency-cruiser does not resolve these: its one-home rules would pass silently');
  });
});

async function copyTree(directory: string): Promise<void> {
  for (const folder of [...CRUISED, 'tests/support']) await cp(folder, join(directory, folder), { recursive: true });
  await cp('package.json', join(directory, 'package.json'));
  await symlink(resolve('node_modules'), join(directory, 'node_modules'));
}

const isOurs = ({ imports }: Plant): boolean => /^(src|broker|simulator|tests)\//.test(imports);

function sourceOf(planted: Plant): string {
  if (!isOurs(planted)) return `import '${planted.imports}';\n`;
  const path = relative(dirname(planted.file), planted.imports);
  return `import '${path.startsWith('.') ? path : `./${path}`}';\n`;
}

function foldersIn(folder: string): readonly string[] {
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => `${folder}/${entry.name}`)
    .filter((path) => readdirSync(path).length > 0);
}
