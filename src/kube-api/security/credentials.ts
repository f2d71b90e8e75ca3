// What one embedded API is known by: its CA, its server certificate, the token of its one user. Made on first use, then kept.
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { kubeApiErrors } from '../errors.ts';
import { isUsableFor, type KeyAndCertificate } from './key-and-certificate.ts';
import { ensurePrivateDirectory, readIfPresent, writePrivateFile } from './private-file.ts';

export interface Credentials {
  readonly authority: KeyAndCertificate;
  readonly server: KeyAndCertificate;
  readonly token: string;
}

const TOKEN_FORM = /^[\w-]{32,}$/;

export async function loadCredentials(directory: string, host: string, now: Date): Promise<Credentials> {
  await ensurePrivateDirectory(directory);
  const authority = await loadPair(directory, 'ca', async () =>
    (await maker()).createAuthority('skerry-kube-api', now),
  );
  const token = await loadToken(join(directory, 'token'));
  const issue = async () => (await maker()).issueServerCertificate(authority, host, now);
  const kept = await loadPair(directory, 'server', issue);
  if (isUsableFor(kept, authority, host, now)) return { authority, server: kept, token };
  const server = await issue();
  await savePair(directory, 'server', server);
  return { authority, server, token };
}

/** Loaded only when something is to be made. */
const maker = () => import('./certificates.ts');

async function loadPair(
  directory: string,
  name: string,
  create: () => Promise<KeyAndCertificate>,
): Promise<KeyAndCertificate> {
  const file = join(directory, `${name}.pem`);
  const text = await readIfPresent(file);
  if (text !== undefined) return splitPair(text, file);
  const made = await create();
  await savePair(directory, name, made);
  return made;
}

/** Key and certificate share a file, so that a crash never leaves one without the other. */
const savePair = (directory: string, name: string, { key, certificate }: KeyAndCertificate): Promise<void> =>
  writePrivateFile(join(directory, `${name}.pem`), `${key}${certificate}`);

function splitPair(text: string, file: string): KeyAndCertificate {
  const start = text.indexOf('-----BEGIN CERTIFICATE-----');
  if (start <= 0 || !text.includes('PRIVATE KEY')) throw kubeApiErrors.KUBE_API_CREDENTIALS_UNREADABLE({ file });
  return { key: text.slice(0, start), certificate: text.slice(start) };
}

async function loadToken(file: string): Promise<string> {
  const kept = (await readIfPresent(file))?.trim();
  if (kept !== undefined && !TOKEN_FORM.test(kept)) throw kubeApiErrors.KUBE_API_CREDENTIALS_UNREADABLE({ file });
  if (kept !== undefined) return kept;
  const token = randomBytes(32).toString('base64url');
  await writePrivateFile(file, `${token}\n`);
  return token;
}
