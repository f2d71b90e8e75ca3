import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { test } from 'node:test';
import { tempDir } from '../../support/temp-dir.ts';

const IMPORT = `import { suite, test } from 'node:test';`;
const GREEN = `${IMPORT} test('a green one', () => {});`;
const FAILING = `${IMPORT}
  const long = Array.from({ length: 100 }, (_, n) => 'line ' + n).join('\\n');
  test('a green one beside it', () => {});
  test('a red one', () => { throw new Error(long); });
  suite('a suite', () => test('a red one inside', () => { throw new Error('inside'); }));`;
const CRASHING = `${IMPORT} test('one that is never heard of', () => {}); throw new Error('at load');`;
// After some turns, so that the runner has told of the test.
const KILLED = `${IMPORT}
  test('one that does not end', async () => {
    for (let turn = 0; turn < 50; turn += 1) await new Promise(setImmediate);
    process.kill(process.pid, 'SIGKILL');
  });`;

/** util-linux's own, which gives a command a terminal. */
const ON_TERMINAL = ['script', '--quiet', '--return', '--log-out', '/dev/null', '--command'];

/** The lines that the runner printed, and its exit code. */
async function run(files: Readonly<Record<string, string>>, isOnTerminal = false): Promise<readonly string[]> {
  await using dir = await tempDir();
  await mkdir(join(dir.path, 'dist'));
  await writeFile(join(dir.path, 'package.json'), '{"type":"module"}');
  for (const [name, text] of Object.entries(files)) await writeFile(join(dir.path, 'dist', `${name}.test.js`), text);
  const flags = ['--test', `--test-reporter=${resolve('scripts/test-reporter.mjs')}`];
  const paths = Object.keys(files).map((name) => `dist/${name}.test.js`);
  // Without the mark of a test, by which a runner inside it would report to ours.
  const env = { ...process.env, NODE_TEST_CONTEXT: undefined };
  const plain = [process.execPath, ...flags, ...paths];
  const [command = '', ...args] = isOnTerminal ? [...ON_TERMINAL, plain.join(' ')] : plain;
  const child = spawn(command, args, { cwd: dir.path, env, stdio: ['ignore', 'pipe', 'inherit'] });
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString('utf8')));
  const [code] = (await once(child, 'close')) as [number];
  return [...output.split(/\r?\n/).filter((line) => line !== ''), `exit ${code}`];
}

void test('the output ends with the names of all failed tests, a line each, and no other', async () => {
  const lines = await run({ green: GREEN, failing: FAILING, crashing: CRASHING, killed: KILLED });

  assert.deepEqual(lines.slice(-6).toSorted(), [
    '  crashing.test.ts: (the file as a whole)',
    '  failing.test.ts: a red one',
    '  failing.test.ts: a red one inside',
    '  killed.test.ts: (the file as a whole)',
    'Failed tests: 4',
    'exit 1',
  ]);
});

void test('a failed test is told again with the first lines of its error, a file with what it was at and what it said', async () => {
  const lines = await run({ failing: FAILING, crashing: CRASHING, killed: KILLED });

  const told = (name: string): readonly string[] => {
    const from = lines.indexOf(`FAILED ${name}`) + 1;
    return lines.slice(
      from,
      lines.findIndex((line, at) => at >= from && !line.startsWith('    ')),
    );
  };
  assert.equal(told('failing.test.ts: a red one').length, 20);
  assert.equal(told('failing.test.ts: a red one')[1], '    line 1');
  assert.match(told('failing.test.ts: a red one inside')[0] ?? '', /Error: inside$/);
  assert.ok(told('crashing.test.ts: (the file as a whole)').includes('    Error: at load'));
  assert.ok(told('killed.test.ts: (the file as a whole)').includes('    unfinished: one that does not end'));
});

void test('before them stands what the runner reports, as TAP, and the slowest files', async () => {
  const lines = await run({ green: GREEN });

  assert.equal(lines[0], 'TAP version 13');
  assert.ok(lines.includes('ok 1 - a green one'));
  assert.match(lines.at(-3) ?? '', /^ +\d+\.\d s {2}green\.test\.ts$/);
  assert.deepEqual(lines.slice(-2), ['No test failed.', 'exit 0']);
});

void test('on a terminal people read a report for people, with the same ending', async () => {
  const lines = await run({ failing: FAILING }, true);

  assert.ok(!lines.includes('TAP version 13'));
  assert.ok(lines.some((line) => line.includes('✖ a red one')));
  assert.deepEqual(lines.slice(-4), [
    'Failed tests: 2',
    '  failing.test.ts: a red one',
    '  failing.test.ts: a red one inside',
    'exit 1',
  ]);
});
