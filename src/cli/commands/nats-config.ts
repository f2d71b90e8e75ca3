import type { Command } from 'commander';
import { natsConfigFor } from '../../cloud/nats-config.ts';
import { isLoopback } from '../../kit/loopback.ts';
import { parseAddress } from '../addresses.ts';
import { requiredSetting, settingsOf, textSetting, type Settings } from '../options.ts';
import { printJson } from '../output.ts';
import { NATS_CONFIG_OPTIONS } from './option-tables.ts';

/** On standard output, to be kept in a file of the server's machine. */
export async function runNatsConfig(command: Command): Promise<number> {
  const settings = await settingsOf(command, NATS_CONFIG_OPTIONS);
  const dataDir = requiredSetting(settings, 'data-dir', 'the data dir of the hub');
  const { host, port } = parseAddress('--listen', requiredSetting(settings, 'listen', 'where the server listens'));
  const store = requiredSetting(settings, 'store', 'the folder for what the server keeps');
  const tls = tlsOf(settings, isLoopback(host));
  const text = await natsConfigFor(dataDir, { host, port, store, ...(tls === undefined ? {} : { tls }) });
  if (settings['output'] === 'json') printJson({ config: text });
  else process.stdout.write(text);
  return 0;
}

/** Beyond loopback a server that speaks no TLS would show everybody what goes by. */
function tlsOf(settings: Settings, isLocal: boolean) {
  if (isLocal && textSetting(settings, 'cert') === undefined) return undefined;
  const purpose = 'what the server shows where other machines reach it; skerry certificate makes it';
  return {
    certificateFile: requiredSetting(settings, 'cert', purpose),
    keyFile: requiredSetting(settings, 'key', purpose),
  };
}
