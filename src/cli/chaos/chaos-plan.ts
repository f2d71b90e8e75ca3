// What a run shall be, read from the options. Every limit is one that a single machine, or the meaning of the word, sets.
import { logLevelOf, requiredSetting, textSetting, type Settings } from '../options.ts';
import { ms, seconds, type Duration } from '../../kit/units.ts';
import { duplicateWindowOf, parseDuration } from '../durations.ts';
import { cliErrors } from '../errors.ts';
import type { SiteConfig } from './chaos-site.ts';
import type { FaultPlan, Victim } from './fault-schedule.ts';

export interface ChaosPlan extends SiteConfig, FaultPlan {
  /** Publications a second, of all devices together. */
  readonly rate: number;
}

const VICTIMS: readonly Victim[] = ['edge', 'hub', 'nats'];
const DAY = seconds(24 * 3600);

/** Throws OPTION_INVALID. */
export function planOf(settings: Settings): Omit<ChaosPlan, 'dataDir'> {
  return {
    edges: count(settings, 'edges', 50),
    devices: count(settings, 'devices', 10_000),
    rate: count(settings, 'rate', 100_000),
    lasting: time(settings, 'for', ms(1000)),
    kill: victims(settings),
    every: time(settings, 'every', ms(100)),
    partition: settings['partition'] === 'off' ? undefined : time(settings, 'partition', ms(100)),
    dropShare: share(settings, 'drop-acks'),
    duplicateWindow: duplicateWindowOf(settings),
    seed: seed(settings),
    logLevel: logLevelOf(settings, 'info'),
  };
}

const given = (settings: Settings, key: string): string => requiredSetting(settings, key, 'it has no default');

function count(settings: Settings, key: string, most: number): number {
  const text = given(settings, key);
  if (/^\d{1,9}$/.test(text) && Number(text) >= 1 && Number(text) <= most) return Number(text);
  throw cliErrors.OPTION_INVALID({ option: `--${key}`, value: text, expected: `a whole number from 1 to ${most}` });
}

function time(settings: Settings, key: string, least: Duration): Duration {
  return parseDuration(`--${key}`, given(settings, key), { least, most: DAY });
}

function victims(settings: Settings): readonly Victim[] {
  const text = given(settings, 'kill');
  const names = text === 'none' ? [] : text.split(',');
  const found = VICTIMS.filter((victim) => names.includes(victim));
  if (found.length === names.length) return found;
  throw cliErrors.OPTION_INVALID({ option: '--kill', value: text, expected: 'some of edge,hub,nats, or "none"' });
}

function share(settings: Settings, key: string): number {
  const text = given(settings, key);
  const percent = Number(/^(\d{1,2}(?:\.\d{1,3})?)%$/.exec(text)?.[1] ?? Number.NaN);
  // All of them would be a link that acknowledges nothing, which --partition is for.
  if (percent <= 50) return percent / 100;
  throw cliErrors.OPTION_INVALID({ option: `--${key}`, value: text, expected: 'a share from 0% to 50%' });
}

function seed(settings: Settings): number {
  const text = textSetting(settings, 'seed');
  if (text === undefined) return Math.floor(Math.random() * 1_000_000);
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw cliErrors.OPTION_INVALID({ option: '--seed', value: text, expected: 'a whole number from 0' });
}
