// Runs dependency-cruiser as `npm run arch` does, on this tree or on a copy of it.
import { execFile } from 'node:child_process';
import { resolve } from 'node:path';
import { promisify } from 'node:util';
import { pathToFileURL } from 'node:url';

export interface Violation {
  readonly rule: { readonly name: string };
  readonly from: string;
  readonly to: string;
}

export interface CruisedModule {
  readonly source: string;
  readonly dependencies: readonly { readonly resolved: string }[];
}

export interface Cruise {
  readonly violations: readonly Violation[];
  readonly modules: readonly CruisedModule[];
}

export interface Rules {
  readonly default: { readonly forbidden: readonly { readonly name: string; readonly comment: string }[] };
  /** Library → the folders that may import it. */
  readonly libraryHomes: Readonly<Record<string, readonly string[]>>;
  readonly nodeHomes: Readonly<Record<string, unknown>>;
}

const CONFIG = resolve('.dependency-cruiser.mjs');
const PROGRAM = resolve('node_modules/dependency-cruiser/bin/dependency-cruise.mjs');

export const CRUISED = ['src', 'broker', 'simulator'];

export async function loadRules(): Promise<Rules> {
  return (await import(pathToFileURL(CONFIG).href)) as Rules;
}

/** Exits with the number of violations, so the exit code says nothing about whether it worked: its output does. */
export async function cruise(directory: string): Promise<Cruise> {
  const args = [PROGRAM, '--config', CONFIG, '--output-type', 'json', ...CRUISED];
  const options = { cwd: directory, maxBuffer: 256 * 1024 * 1024 };
  const output = await promisify(execFile)(process.execPath, args, options).catch(outputOfFailure);
  const result = JSON.parse(output.stdout) as {
    readonly modules: readonly CruisedModule[];
    readonly summary: { readonly violations: readonly Violation[] };
  };
  return { violations: result.summary.violations, modules: result.modules };
}

function outputOfFailure(error: unknown): { readonly stdout: string } {
  const { stdout, stderr } = error as { readonly stdout?: string; readonly stderr?: string };
  if (stdout === undefined || stdout === '') throw new Error(`dependency-cruiser failed: ${stderr ?? String(error)}`);
  return { stdout };
}
