// `skerry edge repair`: what can be read is kept, what cannot is left out, and nothing that was altered passes for sound.
import assert from 'node:assert/strict';
import { cp, mkdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { ClassicLevel } from 'classic-level';
import { DEFAULT_LIMITS } from '../../../broker/index.ts';
import { Audience } from '../../../broker/audience.ts';
import { createSessions } from '../../../broker/sessions/sessions.ts';
import { repairNode, type RepairReport } from '../../../src/edge/repair-node.ts';
import { storeErrors } from '../../../src/edge/store/errors.ts';
import { StoredSessions } from '../../../src/edge/sessions/stored-sessions.ts';
import { openIncarnation } from '../../../src/edge/store/store-identity.ts';
import { jsonTable, orderedNumber } from '../../../src/edge/store/store-layout.ts';
import type { Store } from '../../../src/edge/store/store.ts';
import { Deadline } from '../../../src/kit/deadline.ts';
import { silentLogger } from '../../../src/kit/logger.ts';
import { seconds } from '../../../src/kit/units.ts';
import { asObject, parseJson } from '../../../src/wire/json.ts';
import { runProgram } from '../../support/program.ts';
import { filesIn, flipBit, openStore, storeFile } from '../../support/store-files.ts';
import { tempDir } from '../../support/temp-dir.ts';
import { WarningLog } from '../../support/warning-log.ts';

const TWINS = jsonTable<string>('twin');
const FACTS = jsonTable<number>('outbox');
const COUNTER = jsonTable<number>('sequence');
const POSITIONS = jsonTable<{ readonly acknowledged: number; readonly streamSequence: number }>('chain');

const NOTHING_ENLISTED = {
  newest: () => Promise.resolve(0),
  oldestHeld: () => Promise.resolve(new Map<string, number>()),
};
const KEEP = { newTerm: false };
const CHAIN = 'skerry.n1.up.twin.default.boiler';
const factKey = (sequence: number): string => `${CHAIN}/${orderedNumber(sequence)}`;
const twinValue = (n: number): string => `${n}`.padEnd(200, 'v');

/** Commits a twin and a fact each time, as ingress does. */
async function fill(dataDir: string, commits: number, first = 1): Promise<void> {
  await using store = await openStore(dataDir);
  await openIncarnation(store, NOTHING_ENLISTED);
  for (let n = first; n < first + commits; n += 1) {
    await store.commit((tx) => {
      tx.put(TWINS, `default/device-${n % 10}`, twinValue(n));
      tx.put(FACTS, factKey(n), n);
      tx.put(COUNTER, '', n);
    });
  }
}

async function factsIn(store: Store): Promise<number[]> {
  const facts: number[] = [];
  for await (const [, fact] of store.all(FACTS)) facts.push(fact);
  return facts;
}

/** All that a store of `fill` holds, from LevelDB itself. */
async function valuesIn(dataDir: string): Promise<Map<string, string>> {
  const level = new ClassicLevel(join(dataDir, 'store'));
  const entries = await level.iterator().all();
  await level.close();
  return new Map(entries);
}

const numbers = (from: number, through: number): number[] =>
  Array.from({ length: through - from + 1 }, (_, n) => from + n);

void test('a sound store is left as it is, file by file', async () => {
  await using dir = await tempDir();
  await fill(dir.path, 20);
  await fill(dir.path, 20, 21);
  const before = await filesIn(join(dir.path, 'store'));

  const report = await repairNode(dir.path, KEEP);

  assert.equal(report.isSound, true);
  assert.deepEqual(report.damage, []);
  assert.deepEqual(report.tables['outbox'], { kept: 40, lost: 0 });
  assert.deepEqual(await filesIn(join(dir.path, 'store')), before);
});

/** A subscription, and a publication for it that was acknowledged and not routed. */
async function leaveSession(dataDir: string): Promise<void> {
  await using store = await openStore(dataDir);
  const tools = { audience: new Audience(), storage: new StoredSessions(store), logger: silentLogger };
  const sessions = createSessions(DEFAULT_LIMITS, tools);
  const { persistence, journal } = sessions;
  await persistence.setup({ id: 'broker' });
  await persistence.addSubscriptions({ id: 'keeper', clean: false }, [{ topic: 'news', qos: 1 }]);
  const publisher = { id: 'publisher', clean: false };
  for (const [messageId, qos] of [
    [1, 1],
    [2, 2],
  ] as const) {
    const slip = journal.slip(publisher, { topic: 'news', payload: Buffer.from('x'), qos, messageId });
    if (slip !== undefined) await journal.keep(slip);
  }
  await sessions.close(Deadline.after(seconds(1)));
}

void test('what sessions are still to get of a sound store is left as it is', async () => {
  await using dir = await tempDir();
  await fill(dir.path, 1);
  await leaveSession(dir.path);
  const before = await valuesIn(dir.path);
  assert.equal([...before.keys()].filter((key) => /^session!(message|page)\//.test(key)).length, 2);

  const report = await repairNode(dir.path, KEEP);

  assert.deepEqual([report.isSound, report.tables['session']?.lost], [true, 0]);
  assert.deepEqual(await valuesIn(dir.path), before);
});

void test('a damaged log costs the commit that the damage is in; the damaged files are kept aside', async () => {
  await using dir = await tempDir();
  await fill(dir.path, 40);
  const log = await storeFile(dir.path, /\.log$/);
  await flipBit(log, Math.floor((await stat(log)).size / 2));
  const before = await filesIn(join(dir.path, 'store'));

  const report = await repairNode(dir.path, KEEP);

  assert.equal(report.isSound, false);
  assert.match(report.damage.join(), /^\d+\.log cannot be read at byte \d+$/);
  const aside = report.keptAside ?? assert.fail('nothing was kept aside');
  assert.deepEqual(await filesIn(aside), before);
  await using store = await openStore(dir.path);
  assert.equal((await factsIn(store)).length, 39);
  assert.equal(report.tables['outbox']?.kept, 39);
});

void test('after a repair no sequence is used twice, and each start says that the store was repaired', async () => {
  await using dir = await tempDir();
  await fill(dir.path, 5);
  {
    await using store = await openStore(dir.path);
    await store.commit((tx) => {
      tx.put(POSITIONS, CHAIN, { acknowledged: 7, streamSequence: 3 });
      tx.remove(COUNTER, '');
    });
  }
  await rm(await storeFile(dir.path, /^CURRENT$/));

  await repairNode(dir.path, KEEP);

  const log = new WarningLog();
  {
    await using store = await openStore(dir.path, log);
    assert.ok(((await store.get(COUNTER, '')) ?? 0) > 7 + 1_000_000);
    assert.match(log.warnings.join(), /the store was repaired/);
  }
  await using again = await openStore(dir.path, log);
  assert.equal(log.warnings.length, 2);
  assert.deepEqual(await factsIn(again), numbers(1, 5));
});

for (const [what, pattern] of [
  ['CURRENT', /^CURRENT$/],
  ['the manifest', /^MANIFEST-/],
] as const) {
  void test(`a store that lost ${what} has every value again, and each the newest of its versions`, async () => {
    await using dir = await tempDir();
    for (let start = 0; start < 6; start += 1) await fill(dir.path, 30, 1 + 30 * start);
    const before = await valuesIn(dir.path);
    await rm(await storeFile(dir.path, pattern));

    const report = await repairNode(dir.path, KEEP);

    assert.equal(report.isSound, false);
    await using store = await openStore(dir.path);
    assert.deepEqual(await factsIn(store), numbers(1, 180));
    for (let n = 171; n <= 180; n += 1)
      assert.equal(await store.get(TWINS, `default/device-${n % 10}`), twinValue(n), 'read one by one');
    for await (const [key, value] of store.all(TWINS)) assert.equal(JSON.stringify(value), before.get(`twin!${key}`));
  });
}

void test('whatever bit of a table is flipped, no altered value comes out of the repair', async () => {
  await using dir = await tempDir();
  const source = join(dir.path, 'source');
  await fill(source, 400);
  const before = await valuesIn(source);
  const written = new Set(
    numbers(1, 400).flatMap((n) => [
      `twin!default/device-${n % 10}=${JSON.stringify(twinValue(n))}`,
      `outbox!${factKey(n)}=${n}`,
    ]),
  );
  const { size } = await stat(await storeFile(source, /\.ldb$/));
  let losses = 0;
  for (let round = 0; round < 24; round += 1) {
    const dataDir = join(dir.path, String(round));
    await cp(source, dataDir, { recursive: true });
    await flipBit(await storeFile(dataDir, /\.ldb$/), Math.floor(((round + 0.5) * size) / 24), round % 8);

    const report = await repairNode(dataDir, KEEP);

    assert.equal(report.isSound, false, `round ${round}`);
    const after = await valuesIn(dataDir);
    // Where the newest version was lost, an older one is the newest that is left.
    for (const [key, value] of after)
      if (/^(twin|outbox)!/.test(key)) assert.ok(written.has(`${key}=${value}`), `${key} in round ${round}: ${value}`);
    if (after.size < before.size) losses += 1;
  }
  // Most blocks hold earlier versions only, and the filter none: then nothing is lost.
  assert.ok(losses > 0);
});

void test('a value that cannot be read is taken out and counted with its table', async () => {
  await using dir = await tempDir();
  await fill(dir.path, 3);
  const level = new ClassicLevel(join(dir.path, 'store'));
  await level.put(`outbox!${factKey(2)}`, '{"cut');
  await level.close();

  const report = await repairNode(dir.path, KEEP);

  assert.equal(report.isSound, false);
  assert.deepEqual(report.tables['outbox'], { kept: 2, lost: 1 });
  await using store = await openStore(dir.path);
  assert.deepEqual(await factsIn(store), [1, 3]);
});

void test('a store that is gone is begun anew, and that is said', async () => {
  await using dir = await tempDir();
  await fill(dir.path, 3);
  await rm(join(dir.path, 'store'), { recursive: true });

  const report = await repairNode(dir.path, KEEP);

  assert.match(report.damage.join(), /nothing is left/);
  await using store = await openStore(dir.path);
  assert.deepEqual(await factsIn(store), []);
});

void test('a running node and a folder without one are refused, and nothing is changed', async () => {
  await using dir = await tempDir();
  const running = join(dir.path, 'running');
  {
    await using store = await openStore(running);
    await store.commit((tx) => tx.put(FACTS, factKey(1), 1));
    await assert.rejects(repairNode(running, KEEP), (error) => storeErrors.STORE_LOCKED.is(error));
    await store.commit((tx) => tx.put(FACTS, factKey(2), 2));
  }
  await assert.rejects(repairNode(join(dir.path, 'none'), KEEP), (error) => storeErrors.STORE_NOT_FOUND.is(error));
});

void test('a repair that was stopped before its last step is finished by the next', async () => {
  await using dir = await tempDir();
  await fill(dir.path, 8);
  await mkdir(join(dir.path, 'repair'));
  await rename(join(dir.path, 'store'), join(dir.path, 'repair', 'store'));
  await writeFile(join(dir.path, 'repair', 'complete'), '');

  const report = await repairNode(dir.path, KEEP);

  assert.equal(report.isSound, true);
  await using store = await openStore(dir.path);
  assert.equal((await factsIn(store)).length, 8);
});

void test('as a command: it says what it found, what it kept and where the damaged files are', async () => {
  await using dir = await tempDir();
  await fill(dir.path, 12);
  const command = ['edge', 'repair', '--data-dir', dir.path];
  const sound = await runProgram(command);
  assert.deepEqual(sound, { code: 0, stdout: `the store in ${dir.path} is sound; nothing was repaired\n`, stderr: '' });

  await rm(await storeFile(dir.path, /^CURRENT$/));
  const started = await runProgram(['edge', '--data-dir', dir.path, '--credentials', await credentials(dir.path)]);
  assert.equal(started.code, 1);
  assert.match(started.stderr, /^skerry: the store in \S+ is damaged: \S+CURRENT is missing; "skerry edge repair/);

  const repaired = await runProgram(command);
  assert.equal(repaired.code, 0, repaired.stderr);
  assert.match(repaired.stdout, /CURRENT is missing\nthe damaged files are in \S+store\.damaged-\S+\n/);
  assert.match(repaired.stdout, /\noutbox +12 +0 {2}facts/);

  const newTerm = await runProgram([...command, '--new-term', '--output', 'json']);
  const report = asObject(parseJson(newTerm.stdout)) as unknown as RepairReport;
  assert.deepEqual([report.isSound, report.isNewTerm], [true, true]);
  await using store = await openStore(dir.path);
  assert.equal((await openIncarnation(store, NOTHING_ENLISTED)).mayTakeOver, true);
});

async function credentials(dataDir: string): Promise<string> {
  const file = join(dataDir, 'given.json');
  const nats = { url: 'nats://127.0.0.1:1', user: 'n1', password: 'p' };
  await writeFile(file, JSON.stringify({ node: 'n1', nats }), { mode: 0o600 });
  return file;
}

void test('as a command: without a data directory it says what is missing, and a running node is not touched', async (t) => {
  assert.match((await runProgram(['edge', 'repair'])).stderr, /--data-dir is missing/);
  await using dir = await tempDir();
  const running = await openStore(dir.path);
  t.after(() => running[Symbol.asyncDispose]());
  const refused = await runProgram(['edge', 'repair', '--data-dir', dir.path, '--output', 'json']);
  assert.equal(refused.code, 1);
  assert.match(refused.stdout, /"STORE_LOCKED"/);
});
