import { readdirSync, readFileSync } from 'node:fs';
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

/** Whether a process with this id is there (zombies are not). */
export function isAlive(pid: number): boolean {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    // Gone while, or before, we looked.
    return false;
  }
}

/** Command lines of running processes that mention the text. */
export function processesNaming(text: string): readonly string[] {
  return readdirSync('/proc')
    .filter((entry) => /^\d+$/.test(entry) && Number(entry) !== process.pid)
    .map((pid) => `${pid} ${commandLine(pid)}`)
    .filter((line) => line.includes(text) && isAlive(Number(line.split(' ', 1)[0])));
}

function commandLine(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
  } catch {
    // Gone meanwhile.
    return '';
  }
}

export interface Listener extends Disposable {
  readonly pid: number;
  readonly lines: readonly string[];
}

/** Collects the lines that a program prints until it is disposed of. */
export function collectLines(command: string, args: readonly string[]): Listener {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const lines: string[] = [];
  createInterface({ input: child.stdout }).on('line', (line) => lines.push(line));
  return { pid: child.pid ?? -1, lines, [Symbol.dispose]: () => child.kill('SIGKILL') };
}
