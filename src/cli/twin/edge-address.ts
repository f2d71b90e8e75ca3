// Where the edge node of a data dir listens: it writes that down when it is ready, so that nobody has to be told a port.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { asObject, asString, parseJson } from '../../wire/json.ts';
import { cliErrors } from '../errors.ts';

const FILE = 'addresses.json';

export function noteAddresses(dataDir: string, addresses: object): void {
  writeFileSync(join(dataDir, FILE), `${JSON.stringify(addresses)}\n`, { mode: 0o600 });
}

/** Of an edge node's data dir, or of a demo's, whose edge node has a part of it. Throws EDGE_NOT_FOUND. */
export function edgeUrlIn(dataDir: string): string {
  for (const folder of [join(dataDir, 'edge'), dataDir]) {
    const url = asString(asObject(parseJson(textOf(join(folder, FILE))))?.['http']);
    if (url !== undefined) return url;
  }
  throw cliErrors.EDGE_NOT_FOUND({ dataDir });
}

function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    // Not there, or not for this user: either way nothing is known of an edge node.
    return '';
  }
}
