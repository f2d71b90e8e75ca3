// Runs the real kubectl against a kubeconfig, with a cache of its own: kubectl keeps what it discovered by host and port, and
// ports are used again by other tests.
import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface KubectlResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export class Kubectl {
  readonly #environment: NodeJS.ProcessEnv;

  constructor(kubeconfigFile: string) {
    const home = mkdtempSync(join(tmpdir(), 'skerry-kubectl-'));
    process.on('exit', () => {
      rmSync(home, { recursive: true, force: true });
    });
    const { PATH = '' } = process.env;
    this.#environment = { PATH, HOME: home, KUBECACHEDIR: join(home, 'cache'), KUBECONFIG: kubeconfigFile };
  }

  /** Resolves with how it ended; a command that fails is an answer, not an error. */
  run(args: readonly string[], input?: string): Promise<KubectlResult> {
    return new Promise((resolve) => {
      const options = { env: this.#environment, timeout: 30_000, maxBuffer: 16 * 1024 * 1024 };
      const child = execFile('kubectl', args, options, (error, stdout, stderr) => {
        resolve({ code: error === null ? 0 : typeof error.code === 'number' ? error.code : -1, stdout, stderr });
      });
      child.stdin?.end(input ?? '');
    });
  }

  /** Applies manifests given as text. */
  apply(manifests: string, ...options: readonly string[]): Promise<KubectlResult> {
    return this.run(['apply', '-f', '-', ...options], manifests);
  }

  /** A kubectl that stays, as `get -w`; the caller ends it. */
  follow(args: readonly string[]): ChildProcess {
    return spawn('kubectl', args, { env: this.#environment, stdio: ['ignore', 'pipe', 'inherit'] });
  }
}
