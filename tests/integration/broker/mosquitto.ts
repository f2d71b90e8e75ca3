// Debian's mosquitto clients, as a test runs them.
import { spawn } from 'node:child_process';
import { once } from 'node:events';

export interface MosquittoRun {
  readonly output: () => string;
  readonly exit: Promise<number | null>;
}

export function mosquitto(program: 'mosquitto_pub' | 'mosquitto_sub', port: number, ...more: string[]): MosquittoRun {
  // Line by line: into a pipe, the C library would keep the output to itself until the end.
  const child = spawn('stdbuf', ['-oL', program, '-h', '127.0.0.1', '-p', String(port), '-V', 'mqttv311', ...more], {
    timeout: 20_000,
  });
  let text = '';
  const collect = (chunk: Buffer): void => {
    text += chunk.toString();
  };
  child.stdout.on('data', collect);
  child.stderr.on('data', collect);
  const exit = once(child, 'close').then(([code]) => code as number | null);
  return { output: () => text, exit };
}
