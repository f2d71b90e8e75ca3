// What an edge node needs to answer other machines over HTTP: a certificate given by file, and a token, made at the first start.
import { randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createSecureContext } from 'node:tls';
import { edgeErrors, type HttpSecurity } from '../edge/edge-config.ts';
import { codeOf, messageOf } from '../kit/errors.ts';
import type { ServerCertificate } from '../kit/http-listener.ts';
import { isLoopback } from '../kit/loopback.ts';
import { cliErrors } from './errors.ts';
import { textSetting, type Settings } from './options.ts';

/** `undefined`: nobody but this machine can ask. Throws EDGE_HTTP_NEEDS_TLS, or OPTION_INVALID for files that make no certificate. */
export async function httpSecurityOf(
  settings: Settings,
  place: { readonly dataDir: string; readonly host: string },
): Promise<HttpSecurity | undefined> {
  const [cert, key] = [textSetting(settings, 'http-cert'), textSetting(settings, 'http-key')];
  if (cert === undefined || key === undefined) {
    if (cert === undefined && key === undefined && isLoopback(place.host)) return undefined;
    throw edgeErrors.EDGE_HTTP_NEEDS_TLS({ host: place.host });
  }
  const certificate = (): Promise<ServerCertificate> => readPair(cert, key);
  await checkPair(certificate, cert);
  return { certificate, token: await keptToken(place.dataDir) };
}

async function readPair(cert: string, key: string): Promise<ServerCertificate> {
  return { certificate: await readFile(cert, 'utf8'), key: await readFile(key, 'utf8') };
}

async function checkPair(certificate: () => Promise<ServerCertificate>, value: string): Promise<void> {
  try {
    const pair = await certificate();
    createSecureContext({ key: pair.key, cert: pair.certificate });
  } catch (error) {
    const expected = `the PEM file of a certificate, with its key as --http-key (${messageOf(error)})`;
    throw cliErrors.OPTION_INVALID({ option: '--http-cert', value, expected }, error);
  }
}

/** Made once: the file is created whole and by one start only. */
async function keptToken(dataDir: string): Promise<string> {
  const file = join(dataDir, 'http-token');
  await mkdir(dataDir, { recursive: true, mode: 0o700 });
  try {
    writeFileSync(file, `${randomBytes(32).toString('base64url')}\n`, { mode: 0o600, flag: 'wx' });
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw error;
  }
  return readFileSync(file, 'utf8').trim();
}
