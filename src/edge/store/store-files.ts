// Looks at the store's files before LevelDB opens them, because it begins anew where they are gone and drops what it cannot read,
// both in silence (ADR 0018). Reads only.
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { codeOf } from '../../kit/errors.ts';
import { readLog } from './level-log.ts';
import { readManifest } from './level-manifest.ts';

export type Inspection =
  | { readonly kind: 'sound' }
  /** Nothing was ever kept here. */
  | { readonly kind: 'none' }
  /** Without its manifest LevelDB cannot open a database; it opens one with a damaged log, as if nothing were. */
  | { readonly kind: 'damaged'; readonly part: 'manifest' | 'log'; readonly reason: string };

const SOUND: Inspection = { kind: 'sound' };
const damagedManifest = (reason: string): Inspection => ({ kind: 'damaged', part: 'manifest', reason });
const damagedLog = (reason: string): Inspection => ({ kind: 'damaged', part: 'log', reason });

export async function inspectStore(folder: string): Promise<Inspection> {
  const names = await namesIn(folder);
  if (!names.includes('CURRENT')) {
    const holdsData = names.some((name) => /\.(log|ldb|sst)$/.test(name));
    return holdsData ? damagedManifest(`${join(folder, 'CURRENT')} is missing`) : { kind: 'none' };
  }
  const current = (await readFile(join(folder, 'CURRENT'), 'latin1')).trim();
  if (!names.includes(current))
    return damagedManifest(`${join(folder, current === '' ? 'MANIFEST' : current)} is missing`);
  const manifest = readManifest(await readFile(join(folder, current)));
  if (manifest.isDamaged) return damagedManifest(`${join(folder, current)} cannot be read`);
  return inspectLogs(folder, names, manifest.oldestLog);
}

/** The logs that are not in tables yet: their names in the order in which they were written. */
export function liveLogs(names: readonly string[], oldest: number): readonly string[] {
  const logs = names.filter((name) => /^\d+\.log$/.test(name) && Number.parseInt(name, 10) >= oldest);
  return logs.sort((a, b) => Number.parseInt(a, 10) - Number.parseInt(b, 10));
}

async function inspectLogs(folder: string, names: readonly string[], oldest: number): Promise<Inspection> {
  const logs = liveLogs(names, oldest);
  if (oldest > 0 && !logs.some((name) => Number.parseInt(name, 10) === oldest))
    return damagedLog(`${join(folder, `${String(oldest).padStart(6, '0')}.log`)} is missing`);
  let torn: string | undefined;
  for (const name of logs) {
    const { records, brokenAt, isDamaged } = readLog(await readFile(join(folder, name)));
    if (torn !== undefined && records.length > 0) return damagedLog(torn);
    if (brokenAt === undefined) continue;
    const reason = `${join(folder, name)} cannot be read at byte ${brokenAt}`;
    if (isDamaged) return damagedLog(reason);
    // Not the last log's end: a power cut leaves no such thing.
    torn ??= reason;
  }
  return SOUND;
}

async function namesIn(folder: string): Promise<readonly string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return [];
    throw error;
  }
}
