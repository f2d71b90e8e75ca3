// Mends a copy of the database: what cannot be read is left out, the rest is kept. LevelDB's own repair looks at no checksum and
// would take damaged values for sound ones, so that logs and tables are checked before it.
import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ClassicLevel } from 'classic-level';
import { codeOf } from '../../kit/errors.ts';
import { readLog, writeLog } from './level-log.ts';
import { checkTable } from './level-table.ts';
import { inspectStore } from './store-files.ts';

export interface Mending {
  /** What was found, as a person would say it; empty for a sound database. */
  readonly damage: readonly string[];
  readonly tables: Readonly<Record<string, TableCount>>;
}

export interface TableCount {
  kept: number;
  /** Values that were there and could not be read. */
  lost: number;
}

/** The database in the folder can be opened afterwards, and every value in it be read. Sequence numbers decide which value is newest. */
export async function mendDatabase(folder: string): Promise<Mending> {
  const inspection = await inspectStore(folder);
  const logs = await mendLogs(folder);
  const tables = await markTables(folder);
  const damage = [...logs, ...tables];
  // A log that was mended is named already.
  if (inspection.kind === 'damaged' && logs.length === 0) damage.push(inspection.reason.replace(`${folder}/`, ''));
  const cannotOpen = tables.length > 0 || (inspection.kind === 'damaged' && inspection.part === 'manifest');
  let level = cannotOpen ? await rebuild(folder) : await tryOpen(folder, inspection.kind === 'none');
  if (typeof level === 'string') {
    damage.push(level.replace(`${folder}/`, ''));
    level = await rebuild(folder);
  }
  try {
    return { damage, tables: await removeUnreadable(level) };
  } finally {
    await level.close();
  }
}

async function mendLogs(folder: string): Promise<string[]> {
  const damage: string[] = [];
  for (const name of await namesIn(folder, /\.log$/)) {
    const { records, brokenAt, isDamaged } = readLog(await readFile(join(folder, name)));
    if (brokenAt === undefined || !isDamaged) continue;
    damage.push(`${name} cannot be read at byte ${brokenAt}`);
    await writeFile(join(folder, name), writeLog(records));
  }
  return damage;
}

/** LevelDB's repair leaves the blocks out that are marked. */
async function markTables(folder: string): Promise<string[]> {
  const damage: string[] = [];
  for (const name of await namesIn(folder, /\.(ldb|sst)$/)) {
    const { damaged, mark } = checkTable(await readFile(join(folder, name)));
    if (damaged.length === 0) continue;
    damage.push(`${name} cannot be read at byte ${damaged.join(', ')}`);
    await writeFile(join(folder, name), mark());
  }
  return damage;
}

/** The open database, or why it does not open. */
async function tryOpen(folder: string, createIfMissing: boolean): Promise<ClassicLevel | string> {
  const level = new ClassicLevel(folder);
  try {
    await level.open({ createIfMissing });
    return level;
  } catch (error) {
    const cause = error instanceof Error ? error.cause : undefined;
    // A full disk and the like: repairing would meet it too.
    if (codeOf(cause) === 'LEVEL_IO_ERROR') throw cause;
    return cause instanceof Error ? cause.message : String(error);
  }
}

async function rebuild(folder: string): Promise<ClassicLevel> {
  await ClassicLevel.repair(folder);
  // Where LevelDB puts what it took out. All of it is in the files that were kept aside.
  await rm(join(folder, 'lost'), { recursive: true, force: true });
  const level = new ClassicLevel(folder);
  await level.open({ createIfMissing: false });
  // It puts all tables on one level, where the file's number decides which value is newer; sequences are what is right.
  await level.compactRange('', '\uffff');
  return level;
}

/** Every value of the store is JSON. */
async function removeUnreadable(level: ClassicLevel): Promise<Record<string, TableCount>> {
  const tables: Record<string, TableCount> = {};
  for await (const [key, value] of level.iterator()) {
    const count = (tables[key.slice(0, Math.max(0, key.indexOf('!')))] ??= { kept: 0, lost: 0 });
    if (isJson(value)) {
      count.kept += 1;
    } else {
      count.lost += 1;
      await level.del(key, { sync: true });
    }
  }
  return tables;
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    // That is the answer.
    return false;
  }
}

async function namesIn(folder: string, pattern: RegExp): Promise<readonly string[]> {
  return (await readdir(folder)).filter((name) => pattern.test(name)).sort();
}
