// What one embedded API is known by: its CA, its server certificate, the token of its one user. Made on first use, then kept.
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import type { Life } from '../../kit/certificates.ts';
import { kubeApiErrors } from '../errors.ts';
import { isUsableFor, type KeyAndCertificate } from '../../kit/key-and-certificate.ts';
import { ensurePrivateDirectory, readIfPresent, writePrivateFile } from './private-file.ts';

export interface Credentials {
  readonly authority: KeyAndCertificate;
  readonly server: KeyAndCertificate;
  readonly token: string;
}

const DAY_MS = 86_400_000;
const CA_DAYS = 3650;
const SERVER_DAYS = 825;
const USUAL_NAMES = ['localhost', '127.0.0.1', '::1', 'kubernetes', 'kubernetes.default', 'kubernetes.default.svc'];
const TOKEN_FORM = /^[\w-]{32,}$/;

export async function loadCredentials(directory: string, host: string, now: Date): Promise<Credentials> {
  await ensurePrivateDirectory(directory);
  const authority = await loadPair(directory, 'ca', async () =>
    (await maker()).createAuthority('skerry-kube-api', lifeOf(now, CA_DAYS)),
  );
  const token = await loadToken(join(directory, 'token'));
  const issue = async () =>
    (await maker()).issueServerCertificate(
      authority,
      { commonName: 'kube-api', hosts: [host, ...USUAL_NAMES] },
      lifeOf(now, SERVER_DAYS),
    );
  const kept = await loadPair(directory, 'server', issue);
  if (isUsableFor(kept, authority, host, now)) return { authority, server: kept, token };
  const server = await issue();
  await savePair(directory, 'server', server);
  return { authority, server, token };
}

/** Starts a day early, for clients whose clock is behind. */
const lifeOf = (now: Date, days: number): Life => ({
  notBefore: new Date(now.getTime() - DAY_MS),
  notAfter: new Date(now.getTime() + days * DAY_MS),
});

/** Loaded only when something is to be made. */
const maker = () => import('../../kit/certificates.ts');

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
