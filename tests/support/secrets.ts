// What of a site is secret: found in its data dirs after a run, whatever made it.
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';

/** Stores of values, containers of messages: what clients wrote, and no keys. Of accounts a server keeps JWTs, which anybody may see. */
const NOT_LOOKED_THROUGH = new Set(['store', 'jetstream', 'db', 'objects', 'accounts']);
const SECRET_FILE = /(token|password|kubeconfig|credentials|identity|\.(pem|key|creds|nk|seed|json|conf|jwt)$)/;
const CERTIFICATE = /-----BEGIN CERTIFICATE-----[\s\S]*?-----END CERTIFICATE-----/g;
/** Long enough to have been made at random. Slashes part words: paths are no secrets. */
const WORD = /[A-Za-z0-9+_=-]{24,}/g;
const PUBLIC_NKEY = /^[ACNOPU][A-Z2-7]{55}$/;
const SIGNED = /^ey[\w-]+$/;

export async function filesBelow(dir: string): Promise<readonly string[]> {
  const entries = await readdir(dir, { withFileTypes: true });
  const found: string[] = [];
  for (const entry of entries) {
    const path = join(dir, entry.name);
    if (entry.isFile()) found.push(path);
    if (entry.isDirectory() && !NOT_LOOKED_THROUGH.has(entry.name)) found.push(...(await filesBelow(path)));
  }
  return found;
}

/** Every secret word in the files of these folders, with the file that holds it. */
export async function secretsIn(...dirs: readonly string[]): Promise<ReadonlyMap<string, string>> {
  const secrets = new Map<string, string>();
  for (const file of (await Promise.all(dirs.map(filesBelow))).flat().filter((path) => SECRET_FILE.test(path))) {
    const text = (await readFile(file, 'utf8'))
      .replace(CERTIFICATE, '')
      .replaceAll(/certificate-authority-data: \S+/g, '');
    // A JSON string holds a certificate with its line ends escaped.
    const words = text.replaceAll('\\n', '\n').replace(CERTIFICATE, '').match(WORD) ?? [];
    for (const word of words) if (!PUBLIC_NKEY.test(word) && !SIGNED.test(word)) secrets.set(word, file);
  }
  return secrets;
}

export async function modeOf(file: string): Promise<number> {
  return (await stat(file)).mode & 0o777;
}
