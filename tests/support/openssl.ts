// Certificates as an administrator makes them, by OpenSSL.
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export interface Issued {
  readonly keyFile: string;
  readonly certificateFile: string;
  readonly key: string;
  readonly certificate: string;
}

const openssl = (...args: string[]): unknown => execFileSync('openssl', args, { stdio: ['ignore', 'ignore', 'pipe'] });
const NEW_KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];

function issued(dir: string, name: string): Issued {
  const [keyFile, certificateFile] = [join(dir, `${name}.key`), join(dir, `${name}.pem`)];
  const read = (file: string): string => readFileSync(file, 'utf8');
  return { keyFile, certificateFile, key: read(keyFile), certificate: read(certificateFile) };
}

export function makeAuthority(dir: string, name: string): Issued {
  const files = ['-keyout', join(dir, `${name}.key`), '-out', join(dir, `${name}.pem`)];
  openssl('req', '-x509', ...NEW_KEY, ...files, '-days', '30', '-subj', `/CN=${name}`);
  return issued(dir, name);
}

/** Of 127.0.0.1 and localhost, and of the client that is called so. */
export function issue(dir: string, authority: Issued, file: string, commonName: string): Issued {
  const [request, extensions] = [join(dir, `${file}.csr`), join(dir, `${file}.ext`)];
  writeFileSync(extensions, 'subjectAltName=IP:127.0.0.1,DNS:localhost\n');
  const subject = `/CN=${commonName.replaceAll('/', '\\/')}`;
  openssl('req', '-new', ...NEW_KEY, '-keyout', join(dir, `${file}.key`), '-out', request, '-subj', subject);
  const signer = ['-CA', authority.certificateFile, '-CAkey', authority.keyFile, '-CAcreateserial'];
  openssl(
    'x509',
    '-req',
    '-in',
    request,
    ...signer,
    '-days',
    '30',
    '-extfile',
    extensions,
    '-out',
    join(dir, `${file}.pem`),
  );
  return issued(dir, file);
}
