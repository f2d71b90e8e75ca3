// A log that somebody else writes, and begins anew when a file is full.
import assert from 'node:assert/strict';
import { appendFile, readdir, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { ServerLog } from '../../../src/cloud/nats-server/server-log.ts';
import { tempDir } from '../../support/temp-dir.ts';

void test('lines are read once, whole, and from the moment of the start', async () => {
  await using dir = await tempDir();
  const file = join(dir.path, 'nats-server.log');
  await writeFile(file, 'of last time\n');
  const log = new ServerLog(file);
  await log.begin();
  await appendFile(file, 'one\ntw');

  assert.deepEqual(await log.lines(), ['one']);
  await appendFile(file, 'o\n');

  assert.deepEqual(await log.lines(), ['two']);
  assert.deepEqual(await log.lines(), []);
  await log.close();
});

void test('a log that does not exist yet is read from its beginning', async () => {
  await using dir = await tempDir();
  const file = join(dir.path, 'nats-server.log');
  const log = new ServerLog(file);
  await log.begin();
  assert.deepEqual(await log.lines(), []);

  await writeFile(file, 'one\n');

  assert.deepEqual(await log.lines(), ['one']);
  await log.close();
});

void test('a full file is read to its end, the next one from its beginning, and only the newest full ones stay', async () => {
  await using dir = await tempDir();
  const file = join(dir.path, 'nats-server.log');
  await writeFile(file, '');
  const log = new ServerLog(file);
  await log.begin();
  const read: string[] = [];

  for (const round of [1, 2, 3, 4]) {
    await appendFile(file, `end of ${round}\n`);
    await rename(file, `${file}.2026.11.24.0${round}`);
    await writeFile(file, `beginning of ${round + 1}\n`);
    read.push(...(await log.lines()), ...(await log.lines()));
  }

  assert.deepEqual(
    read,
    [1, 2, 3, 4].flatMap((round) => [`end of ${round}`, `beginning of ${round + 1}`]),
  );
  const left = (await readdir(dir.path)).sort();
  assert.deepEqual(left, ['nats-server.log', 'nats-server.log.2026.11.24.03', 'nats-server.log.2026.11.24.04']);
  await log.close();
});

void test('of a flood only the end is read', async () => {
  await using dir = await tempDir();
  const file = join(dir.path, 'nats-server.log');
  const log = new ServerLog(file);
  await log.begin();
  await writeFile(file, 'line\n'.repeat(1_000_000) + 'last\n');

  const lines = await log.lines();

  assert.ok(lines.length < 300_000);
  assert.equal(lines.at(-1), 'last');
  await log.close();
});
