// ARCHITECTURE.md draws the way of a message; here it is held against the folders and the import graph.
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, describe, it } from 'node:test';
import { cruise, type Cruise } from './cruise.ts';
import { codes, tableRows } from './docs.ts';

interface Stop {
  /** `3`, or `3′` on the way back. */
  readonly number: string;
  readonly folder: string;
}

const PAGE = 'ARCHITECTURE.md';
const rows = tableRows(PAGE, 'The way of a message');
const way = (column: number): readonly Stop[] =>
  rows.flatMap((row) => codes(row[column + 1]).map((folder) => ({ number: row[column] ?? '', folder })));
const up = way(0);
const back = way(2);
const stops = [...up, ...back];

/** Twin and fact are one commit, so the stop before them writes both. */
const ONE_COMMIT = 'src/edge/ingress → src/edge/outbox';

describe('the way of a message', () => {
  let graph: Cruise;

  before(async () => {
    graph = await cruise(process.cwd());
  });

  it('has nine stops up and nine back', () => {
    assert.deepEqual(
      rows.map(([number, , primed]) => [number, primed]),
      Array.from({ length: 9 }, (_, index) => [`${index + 1}`, `${index + 1}′`]),
    );
    assert.ok(stops.length >= 16, 'the table names too few folders');
  });

  it('leads through folders that say their stop in five lines or so', () => {
    assert.deepEqual(stops.flatMap(problemsOf), []);
  });

  it('has no short cut: a stop imports its neighbours only', () => {
    const allowed = new Set([...neighbours(up), ...neighbours(back), ONE_COMMIT]);
    const folders = [...new Set(stops.map(({ folder }) => folder))];
    const stopOf = (path: string): string | undefined => folders.find((folder) => path.startsWith(`${folder}/`));

    const shortCuts = graph.modules.flatMap(({ source, dependencies }) =>
      dependencies.flatMap(({ resolved }) => {
        const [from, to] = [stopOf(source), stopOf(resolved)];
        if (from === undefined || to === undefined || from === to || allowed.has(`${from} → ${to}`)) return [];
        return [`${source} → ${resolved}`];
      }),
    );

    assert.deepEqual(shortCuts, []);
  });
});

function problemsOf({ number, folder }: Stop): readonly string[] {
  const readme = join(folder, 'README.md');
  if (!existsSync(readme)) return [`${readme} is missing; it says stop ${number}`];
  const lines = readFileSync(readme, 'utf8')
    .split('\n')
    .filter((line) => line.trim() !== '');
  const numbers = [...(lines[0] ?? '').matchAll(/\d′?/g)].map(([text]) => text);
  return [
    ...(numbers.includes(number) ? [] : [`the heading of ${readme} does not say that it is stop ${number}`]),
    ...(lines.length >= 5 && lines.length <= 8 ? [] : [`${readme} has ${lines.length} lines, not five or so`]),
  ];
}

/** Both ways: a stop may know the port of the one before it. */
function neighbours(stopsInOrder: readonly Stop[]): readonly string[] {
  return stopsInOrder.slice(1).flatMap((stop, index) => {
    const previous = stopsInOrder[index]?.folder ?? '';
    return [`${previous} → ${stop.folder}`, `${stop.folder} → ${previous}`];
  });
}
