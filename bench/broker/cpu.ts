import { readFileSync } from 'node:fs';

/** `/proc` counts in hundredths of a second on every Linux that Node runs on. */
const TICKS_PER_SECOND = 100;

/** What a process and all its threads have used of the processors so far. */
export function cpuSeconds(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  // The second field is the program's name in parentheses, which may hold spaces.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
}
