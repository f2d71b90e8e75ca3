// An attempt to do what one may not, and what must be seen of it: a number that rises and a line in a log.
import assert from 'node:assert/strict';
import { waitUntil } from '../support/wait-until.ts';
import type { AttackedSite } from './attacked-site.ts';

export interface Counted {
  readonly at: 'hub' | 'edge';
  /** Of the metric. */
  readonly name: string;
  /** One of its series, by a part of its labels; absent: any. */
  readonly series?: string;
}

export interface Attack {
  readonly door: string;
  readonly what: string;
  readonly counted: Counted;
  /** In the log of whom it is counted at: the kind of refusal. Of a flood not every line is there. */
  readonly logged: RegExp;
  /** How often it is tried, and counted. Default 1. */
  readonly times?: number;
  /** Rejects when it got through. */
  attempt(site: AttackedSite): Promise<void>;
}

export interface Refused {
  readonly attack: Attack;
  readonly ms: number;
}

const textOf = ({ at, name, series = '' }: Counted): string => `${at} ${name}${series && `{${series}}`}`;

/** Tries them one after the other; each series must have risen by as many in the end. Numbers that come late are waited for once. */
export async function refuseAll(site: AttackedSite, attacks: readonly Attack[]): Promise<readonly Refused[]> {
  const series = new Map(attacks.map(({ counted }) => [textOf(counted), counted]));
  const before = new Map<string, number>();
  for (const [text, counted] of series) before.set(text, await site.numberOf(counted));
  const refused: Refused[] = [];
  for (const attack of attacks) {
    const begun = performance.now();
    await attack.attempt(site).catch((error: unknown) => {
      throw new Error(`${attack.door}: ${attack.what}`, { cause: error });
    });
    refused.push({ attack, ms: performance.now() - begun });
  }
  for (const [text, counted] of series) {
    const tried = attacks.filter((attack) => textOf(attack.counted) === text);
    const expected = (before.get(text) ?? 0) + tried.reduce((sum, { times = 1 }) => sum + times, 0);
    const names = tried.map(({ what }) => what).join(', ');
    await waitUntil(`${text} to reach ${expected} (${names})`, async () => (await site.numberOf(counted)) >= expected);
  }
  for (const { what, counted, logged } of attacks)
    assert.match(site.logOf(counted.at), logged, `nothing in the log of the ${counted.at}: ${what}`);
  return refused;
}

/** Lines of the table that is printed. */
export function tableOf(refused: readonly Refused[]): readonly string[] {
  const rows = refused.map(({ attack: { door, what, counted }, ms }) => [
    ...[door, what, textOf(counted), `${ms.toFixed(0)} ms`],
  ]);
  const widths = [0, 1, 2, 3].map((column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows.map((row) => row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  '));
}
