// What comes from others: under which licences, from where, and what of it may run when it is installed.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';

interface Locked {
  readonly version?: string;
  readonly license?: string;
  readonly resolved?: string;
  readonly integrity?: string;
  readonly dev?: boolean;
  readonly link?: boolean;
  readonly hasInstallScript?: boolean;
}

const { packages } = JSON.parse(readFileSync('package-lock.json', 'utf8')) as { packages: Record<string, Locked> };
const manifest = JSON.parse(readFileSync('package.json', 'utf8')) as {
  readonly allowScripts: Readonly<Record<string, boolean>>;
  readonly dependencies: Readonly<Record<string, string>>;
  readonly devDependencies: Readonly<Record<string, string>>;
};
const locked = Object.entries(packages).filter(([path]) => path !== '');

/** May be built into a program under Apache-2.0 and given on. */
const SHIPPED = ['MIT', 'ISC', 'Apache-2.0', 'BSD-2-Clause', 'BSD-3-Clause', '0BSD', 'Unlicense', 'Python-2.0'];
/** Tools that build and test, and are given to nobody. */
const USED = [...SHIPPED, 'BlueOak-1.0.0'];

/** What the lock file means where it names no place. */
const REGISTRY = 'https://registry.npmjs.org/';

const nameOf = (path: string): string => path.replace(/^.*node_modules\//, '');

void test('every package is under a licence that lets it be used, and given on where it is shipped', () => {
  assert.ok(locked.length > 100, 'the lock file lists too little: the test looks in the wrong place');
  const wrong = locked.filter(([, { license, dev }]) => !(dev === true ? USED : SHIPPED).includes(license ?? ''));

  assert.deepEqual(
    wrong.map(([path, { license }]) => `${path}: ${license ?? 'none'}`),
    [],
  );
});

void test('every package comes from the registry and is known by its hash', () => {
  const wrong = locked.filter(
    ([, { resolved = REGISTRY, integrity = '', link }]) =>
      link === true || !resolved.startsWith(REGISTRY) || !integrity.startsWith('sha512-'),
  );

  assert.deepEqual(
    wrong.map(([path]) => path),
    [],
  );
});

void test('somebody decided of each package with an install script whether it may run', () => {
  const scripted = locked.filter(([, { hasInstallScript }]) => hasInstallScript === true).map(([path]) => nameOf(path));

  assert.deepEqual(Object.keys(manifest.allowScripts).sort(), [...new Set(scripted)].sort());
});

void test('what is asked for is one exact version each', () => {
  for (const [name, version] of Object.entries({ ...manifest.dependencies, ...manifest.devDependencies }))
    assert.match(version, /^\d+\.\d+\.\d+$/, name);
});
