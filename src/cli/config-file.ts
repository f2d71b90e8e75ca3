// Every option is also a key of a YAML file (`--config FILE`) and an environment variable. This reads the file.
import { readFileSync } from 'node:fs';
import { LineCounter, parseDocument } from 'yaml';
import { messageOf } from '../kit/errors.ts';
import { asObject, type JsonObject } from '../wire/json.ts';
import { cliErrors } from './errors.ts';

/** Throws CONFIG_UNREADABLE with line and column, or CONFIG_KEY_UNKNOWN. Keys are the long option names without dashes in front. */
export function readConfigFile(file: string, known: readonly string[]): JsonObject {
  const lines = new LineCounter();
  const document = parseDocument(readText(file), { lineCounter: lines });
  const [error] = document.errors;
  if (error !== undefined) {
    const { line, col } = lines.linePos(error.pos[0]);
    throw cliErrors.CONFIG_UNREADABLE({
      file,
      problem: `is not valid YAML at line ${line}, column ${col}: ${firstLine(error.message)}`,
    });
  }
  const content: unknown = document.toJS();
  if (content === null) return {};
  const settings = asObject(content);
  if (settings === undefined)
    throw cliErrors.CONFIG_UNREADABLE({
      file,
      problem: 'must hold keys and values, such as "data-dir: /var/lib/skerry"',
    });
  const unknown = Object.keys(settings).find((key) => !known.includes(key));
  if (unknown !== undefined) throw cliErrors.CONFIG_KEY_UNKNOWN({ file, key: unknown, known: known.join(', ') });
  return settings;
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw cliErrors.CONFIG_UNREADABLE({ file, problem: `cannot be read: ${messageOf(error)}` }, error);
  }
}

const firstLine = (text: string): string => text.split('\n', 1)[0] ?? text;
