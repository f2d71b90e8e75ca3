// What only its owner may read: a start with a secret that everybody on the machine can read is refused, before anything is opened.
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { codeOf } from '../kit/errors.ts';
import { cliErrors } from './errors.ts';

/** Folders below a data dir in which keys and credentials are kept; stores of values and containers are not looked through. */
const FOLDERS = ['', 'authority', 'identity', 'kube-api', 'nats', 'nodes'];
const SECRET =
  /(^(http-)?token$|password|^kubeconfig|^mqtt-users$|credentials|identity|\.(pem|key|creds|nk|seed|json|conf)$)/;
const READ_BY_OTHERS = 0o004;
const PERMISSIONS = 0o777;

/** Throws SECRET_READABLE naming all of them: those kept in the data dir, and those of the files given that are there. */
export function refuseReadableSecrets(dataDir: string, given: readonly (string | undefined)[] = []): void {
  const kept = FOLDERS.flatMap((folder) => namesIn(join(dataDir, folder)).map((name) => join(dataDir, folder, name)));
  const files = new Set([...kept, ...given.filter((file) => file !== undefined)]);
  const readable = [...files].flatMap((file) => {
    const mode = modeOf(file);
    if (mode === undefined || (mode & READ_BY_OTHERS) === 0 || isPublic(file)) return [];
    return [{ file, mode: mode & PERMISSIONS }];
  });
  if (readable.length > 0) throw cliErrors.SECRET_READABLE({ readable });
}

function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder).filter((name) => SECRET.test(name));
  } catch (error) {
    if (codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR') return [];
    throw error;
  }
}

/** A certificate is shown to everybody; a PEM file that holds a key beside it is not. */
function isPublic(file: string): boolean {
  return file.endsWith('.pem') && !readFileSync(file, 'latin1').includes('PRIVATE KEY');
}

/** Of a file; who reads the file next says what is wrong with one that is not there. */
function modeOf(file: string): number | undefined {
  const found = statSync(file, { throwIfNoEntry: false });
  return found?.isFile() === true ? found.mode : undefined;
}
