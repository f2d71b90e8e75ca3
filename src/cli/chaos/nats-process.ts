// The nats-server that a hub runs, seen from outside: its process by the file that the hub keeps.
import { readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { commandLineOf, sendSignal } from '../../cloud/processes.ts';

/** SIGKILL. False when there is none. The command line is looked at: the id in the file may be somebody else's by now. */
export function killNatsServer(hubDir: string): boolean {
  const pid = Number(readIfThere(join(hubDir, 'nats', 'nats-server.pid')));
  if (!Number.isSafeInteger(pid) || pid <= 1) return false;
  const command = commandLineOf(pid);
  const isOurs = command?.some((word) => word.startsWith(join(hubDir, 'nats'))) === true;
  if (!isOurs || basename(command[0] ?? '') !== 'nats-server') return false;
  sendSignal(pid, 'SIGKILL');
  return true;
}

function readIfThere(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    // The hub has not started a server yet.
    return '';
  }
}
