// Dependencies are guests: each one is used, has its home and its reason on the page, and a licence that lets anybody ship it.
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, describe, it } from 'node:test';
import { cruise, loadRules, type Cruise, type Rules } from './cruise.ts';
import { codes, tableRows } from './docs.ts';
import { sources } from './sources.ts';

const PAGE = 'docs/reference/dependencies.md';

interface Manifest {
  readonly dependencies: Readonly<Record<string, string>>;
  readonly devDependencies: Readonly<Record<string, string>>;
}

interface LockEntry {
  readonly dev?: boolean;
  readonly devOptional?: boolean;
}

const PERMISSIVE = new Set([
  ...['MIT', 'MIT-0', 'ISC', '0BSD', 'BSD', 'BSD-2-Clause', 'BSD-3-Clause', 'Apache-2.0', 'BlueOak-1.0.0'],
  ...['CC0-1.0', 'Unlicense', 'Python-2.0', 'WTFPL', 'Zlib'],
]);

const readJson = (file: string): unknown => JSON.parse(readFileSync(file, 'utf8'));

describe('outside libraries', () => {
  const manifest = readJson('package.json') as Manifest;
  let rules: Rules;
  let graph: Cruise;

  before(async () => {
    rules = await loadRules();
    graph = await cruise(process.cwd());
  });

  it('of the program are on the page, with their homes as the import rules have them', () => {
    const listed = tableRows(PAGE, 'Part of the program').map(([name, home]) => [codes(name)[0], codes(home)]);
    const homes = Object.keys(manifest.dependencies).map((name) => [name, homesOf(rules, graph, name)]);

    assert.deepEqual(sortedByName(listed), sortedByName(homes));
  });

  it('of the workshop are on the page', () => {
    const listed = tableRows(PAGE, 'To build and test it').flatMap(([name]) => codes(name));

    assert.deepEqual([...listed].sort(), Object.keys(manifest.devDependencies).sort());
  });

  it('each have a reason and a replacement on the page', () => {
    for (const [name = '', , why = '', instead = ''] of tableRows(PAGE)) {
      assert.ok(why.length > 10, `${name}: why is it here?`);
      assert.ok(instead.length > 5, `${name}: what would replace it?`);
    }
  });

  it('are all imported by somebody', () => {
    const imported = graph.modules.flatMap(({ dependencies }) => dependencies.map(({ resolved }) => resolved));
    const isUsed = (name: string): boolean => imported.some((path) => path.includes(`node_modules/${name}/`));

    assert.deepEqual(
      Object.keys(manifest.dependencies).filter((name) => !isUsed(name)),
      [],
    );
  });

  it('of the workshop that tests import are not needed by the program', () => {
    const product = sources(['src', 'broker', 'mappers', 'simulator']);

    for (const file of product)
      for (const [, name = ''] of readFileSync(file, 'utf8').matchAll(/from '((?:@[^/']+\/)?[^./'][^/']*)/g))
        assert.equal(manifest.devDependencies[name], undefined, `${file} imports ${name}`);
  });

  it('that are installed with the program have permissive licences', () => {
    const lock = readJson('package-lock.json') as { readonly packages: Readonly<Record<string, LockEntry>> };
    const installed = Object.entries(lock.packages)
      .filter(([path, { dev, devOptional }]) => path !== '' && dev !== true && devOptional !== true)
      .map(([path]) => path)
      .filter((path) => existsSync(join(path, 'package.json')));
    assert.ok(installed.length > 50, `only ${installed.length} installed packages were found`);

    const others = installed.map((path) => `${path}: ${licenceOf(path)}`).filter((line) => !isPermissive(line));

    assert.deepEqual(others, []);
  });
});

/** Homes that the rules allow and that are in use now: the page does not list what is yet to come. */
function homesOf({ libraryHomes }: Rules, { modules }: Cruise, library: string): readonly string[] {
  const users = modules
    .filter(({ dependencies }) => dependencies.some(({ resolved }) => resolved.includes(`node_modules/${library}/`)))
    .map(({ source }) => source);
  return (libraryHomes[library] ?? [])
    .map((home) => home.replace('\\.ts$', '.ts'))
    .filter((home) => users.some((user) => user.startsWith(home)));
}

const sortedByName = (rows: readonly (readonly unknown[])[]): readonly (readonly unknown[])[] =>
  [...rows].sort(([a], [b]) => String(a).localeCompare(String(b)));

function licenceOf(path: string): string {
  const { license, licenses } = readJson(join(path, 'package.json')) as {
    readonly license?: string | { readonly type: string };
    readonly licenses?: readonly { readonly type: string }[];
  };
  if (typeof license === 'string') return license;
  return license?.type ?? licenses?.map(({ type }) => type).join(' OR ') ?? 'none given';
}

/** `(MIT OR GPL-3.0)`: one of the two is enough. `A AND B`: both count. */
function isPermissive(line: string): boolean {
  const [, expression = ''] = line.split(': ');
  return expression
    .replaceAll(/[()]/g, '')
    .split(/ OR /i)
    .some((choice) => choice.split(/ AND /i).every((name) => PERMISSIVE.has(name.trim())));
}
