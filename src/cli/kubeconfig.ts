import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { cliErrors } from './errors.ts';
import { requiredSetting, textSetting, type Settings } from './options.ts';

/** The file that was named, else the one of the data dir. Throws DATA_DIR_EMPTY where no hub has run. */
export function kubeconfigOf(settings: Settings): string {
  const named = textSetting(settings, 'kubeconfig');
  if (named !== undefined) return named;
  const dataDir = requiredSetting(settings, 'data-dir', 'of the hub or demo to ask');
  const file = join(dataDir, 'kubeconfig');
  if (!existsSync(file)) throw cliErrors.DATA_DIR_EMPTY({ dataDir, file });
  return file;
}
