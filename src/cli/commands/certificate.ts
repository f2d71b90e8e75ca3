import type { Command } from 'commander';
import { join } from 'node:path';
import { authorityIn } from '../../cloud/nats-users.ts';
import { writePrivateFile } from '../../cloud/private-files.ts';
import { systemClock } from '../../kit/clock.ts';
import { requiredSetting, settingsOf } from '../options.ts';
import { printJson, printLine } from '../output.ts';
import { CERTIFICATE_OPTIONS } from './option-tables.ts';

/** Key and certificate for one who serves under these names, and the authority's own for those who are to believe it. */
export async function runCertificate(command: Command, ...operands: string[]): Promise<number> {
  const hosts = operands.flat();
  const settings = await settingsOf(command, CERTIFICATE_OPTIONS);
  const out = requiredSetting(settings, 'out', 'the folder for the files');
  const authority = await authorityIn(requiredSetting(settings, 'data-dir', 'the data dir of the hub'), systemClock);
  const { key, certificate } = await authority.issueCertificate({ hosts, commonName: hosts[0] ?? '' });
  const files = { certificate: join(out, 'tls.crt'), key: join(out, 'tls.key'), ca: join(out, 'ca.crt') };
  await writePrivateFile(files.certificate, certificate);
  await writePrivateFile(files.key, key);
  await writePrivateFile(files.ca, authority.caCertificate);
  if (settings['output'] === 'json') printJson({ hosts, ...files });
  else {
    printLine(`${files.certificate} and ${files.key} are for ${hosts.join(', ')}, for 825 days`);
    printLine(`${files.ca} is for whoever connects there`);
  }
  return 0;
}
