// Other processes of this machine, seen through /proc: whether one still is what it was, also when it is not a child of ours.
import { readFileSync } from 'node:fs';

/** The command line, or `undefined` when there is no such process (a zombie has an empty one and counts as gone). */
export function commandLineOf(pid: number): readonly string[] | undefined {
  const text = readProc(pid, 'cmdline');
  return text === undefined || text === '' ? undefined : text.split('\0').slice(0, -1);
}

/** When the process began, in clock ticks since boot: with the pid it names one process, however pids are used again. */
export function startOf(pid: number): string | undefined {
  const stat = readProc(pid, 'stat');
  // The second field is the name in parentheses and may hold anything.
  const fields = stat?.slice(stat.lastIndexOf(')') + 2).split(' ');
  return fields?.[0] === 'Z' ? undefined : fields?.[19];
}

export function sendSignal(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal); // eslint-disable-line no-restricted-properties -- not a child of ours when adopted after a crash
  } catch {
    // It has ended meanwhile: what the signal was for.
  }
}

function readProc(pid: number, file: string): string | undefined {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8');
  } catch {
    // No such process.
    return undefined;
  }
}
