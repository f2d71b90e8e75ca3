// Loaded into a program before it starts (`--expose-gc --import`): on SIGUSR2 it says in its log what it holds once nothing is garbage
// any more.
import { seconds } from '../../src/kit/units.ts';
import type { Program } from './program.ts';
import { waitUntil } from './wait-until.ts';

export interface Holding {
  readonly heapBytes: number;
  readonly rssBytes: number;
  /** By type, as `process.getActiveResourcesInfo` names them. */
  readonly handles: Readonly<Record<string, number>>;
}

const MARK = '"holding":';

export const INSPECTED = ['--expose-gc', '--import', import.meta.url] as const;

/** Of a program that was started with `INSPECTED`. */
export async function holdingOf(program: Program): Promise<Holding> {
  const before = program.log().split(MARK).length;
  process.kill(program.pid, 'SIGUSR2');
  return waitUntil(
    'the program to say what it holds',
    () => {
      const said = program
        .log()
        .split('\n')
        .filter((line) => line.includes(MARK));
      return said.length < before ? undefined : (JSON.parse(said.at(-1) ?? '') as { holding: Holding }).holding;
    },
    seconds(30),
  );
}

function say(): void {
  globalThis.gc?.();
  globalThis.gc?.();
  const handles: Record<string, number> = {};
  for (const type of process.getActiveResourcesInfo()) handles[type] = (handles[type] ?? 0) + 1;
  const { heapUsed, arrayBuffers, rss } = process.memoryUsage();
  const holding: Holding = { heapBytes: heapUsed + arrayBuffers, rssBytes: rss, handles };
  process.stderr.write(`${JSON.stringify({ holding })}\n`);
}

if (globalThis.gc !== undefined) process.on('SIGUSR2', say);
