import type { Command } from 'commander';
import { NatsUsers, type NatsUser } from '../../cloud/nats-users.ts';
import { systemClock } from '../../kit/clock.ts';
import { days, seconds } from '../../kit/units.ts';
import { parseDuration } from '../durations.ts';
import { listSetting, requiredSetting, settingsOf, textSetting, type Settings } from '../options.ts';
import { printJson, printLine } from '../output.ts';
import { tableLines } from '../tables.ts';
import { NATS_USER_CREATE_OPTIONS, VOUCHING_OPTIONS } from './option-tables.ts';

const LIFE = { least: seconds(10), most: days(3650) };

export async function runNatsUserCreate(command: Command, name: string): Promise<number> {
  const settings = await settingsOf(command, NATS_USER_CREATE_OPTIONS);
  const ttl = textSetting(settings, 'ttl');
  const users = usersOf(settings);
  const user = await users.create({
    ...{ name, subscribe: listSetting(settings, 'subscribe') },
    ...(ttl === undefined ? {} : { life: parseDuration('--ttl', ttl, LIFE) }),
  });
  if (settings['output'] === 'json') printJson({ ...shown(user), ca: users.caFile });
  else {
    printLine(`${name} may hear ${user.subscribe.join(', ')} and do nothing else`);
    printLine(`nats --creds ${user.file} --tlsca ${users.caFile} sub '${user.subscribe[0] ?? ''}'`);
  }
  return 0;
}

export async function runNatsUserList(command: Command): Promise<number> {
  const settings = await settingsOf(command, VOUCHING_OPTIONS);
  const users = (await usersOf(settings).list()).map(shown);
  if (settings['output'] === 'json') printJson({ users });
  else
    for (const line of tableLines([
      ['NAME', 'HEARS', 'UNTIL'],
      ...users.map(({ name, subscribe, expiresAt }) => [name, subscribe.join(' '), expiresAt ?? 'removed']),
    ]))
      printLine(line);
  return 0;
}

export async function runNatsUserRemove(command: Command, name: string): Promise<number> {
  const settings = await settingsOf(command, VOUCHING_OPTIONS);
  const user = await usersOf(settings).remove(name);
  if (settings['output'] === 'json') printJson(shown(user));
  else printLine(`${name} is removed: the hub tells NATS within seconds, or at its next start`);
  return 0;
}

const usersOf = (settings: Settings): NatsUsers =>
  new NatsUsers({ dataDir: requiredSetting(settings, 'data-dir', 'the data dir of the hub') }, { clock: systemClock });

const shown = ({ name, subscribe, file, publicKey, expiresAt }: NatsUser) => ({
  ...{ name, subscribe, file, publicKey },
  ...(expiresAt !== undefined && { expiresAt: new Date(expiresAt).toISOString() }),
});
