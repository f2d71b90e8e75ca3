// One declaration per option: flag, key of the configuration file, environment variable and meaning. The reference page
// docs/reference/configuration.md lists the same (tested).
import { Option, type Command } from 'commander';
import type { JsonObject } from '../wire/json.ts';
import { cliErrors } from './errors.ts';
import type { LogLevel } from '../kit/logger.ts';

export interface OptionDeclaration {
  /** As commander spells it: `--data-dir <dir>`. */
  readonly flags: string;
  readonly description: string;
  readonly default?: string;
  readonly choices?: readonly string[];
  /** May be given several times. */
  readonly isList?: boolean;
}

export const COMMON_OPTIONS: readonly OptionDeclaration[] = [
  { flags: '--config <file>', description: 'YAML file with any of these options as keys, without the leading dashes' },
  {
    flags: '--output <form>',
    description: 'what to print on standard output',
    choices: ['text', 'json'],
    default: 'text',
  },
  {
    flags: '--log-level <level>',
    description: 'least severe messages to log on standard error',
    choices: ['silent', 'error', 'warn', 'info', 'debug'],
  },
];

/** The long name without dashes: the key in a configuration file. */
export function optionKey(flags: string): string {
  return /--([a-z-]+)/.exec(flags)?.[1] ?? flags;
}

/** `SKERRY_HUB_NATS_LISTEN` for `--nats-listen` of `skerry hub`. */
export function optionVariable(command: string, flags: string): string {
  return `SKERRY_${command}_${optionKey(flags)}`.replaceAll(/[- ]/g, '_').toUpperCase();
}

export function declareOptions(command: Command, declarations: readonly OptionDeclaration[]): Command {
  for (const declaration of declarations) {
    const option = new Option(declaration.flags, declaration.description).env(
      optionVariable(pathOf(command), declaration.flags),
    );
    if (declaration.default !== undefined) option.default(declaration.default);
    if (declaration.choices !== undefined) option.choices([...declaration.choices]);
    if (declaration.isList === true)
      option.argParser((value: string, list: readonly string[] | undefined) => [...(list ?? []), value]);
    command.addOption(option);
  }
  return command;
}

export type Settings = Readonly<Record<string, string | readonly string[] | undefined>>;

/** Flags win over environment variables, those over the file, that over defaults. Keys are the option keys. */
export async function settingsOf(command: Command, declarations: readonly OptionDeclaration[]): Promise<Settings> {
  const keys = declarations.map(({ flags }) => optionKey(flags));
  const given = command.opts<Record<string, string | readonly string[] | true | undefined>>();
  const file = given['config'];
  const fromFile = typeof file === 'string' ? await readFile(file, keys) : {};
  return Object.fromEntries(
    declarations.map((declaration) => {
      const key = optionKey(declaration.flags);
      const name = camelCase(key);
      const isGiven = !['default', undefined].includes(command.getOptionValueSource(name));
      const value = isGiven || !(key in fromFile) ? given[name] : fromConfig(String(file), declaration, fromFile[key]);
      return [key, value === true ? 'true' : value];
    }),
  );
}

/** Loaded only when there is a file: the YAML library is memory that an edge node would carry for nothing. */
async function readFile(file: string, keys: readonly string[]): Promise<JsonObject> {
  const { readConfigFile } = await import('./config-file.ts');
  return readConfigFile(
    file,
    keys.filter((key) => key !== 'config'),
  );
}

function fromConfig(file: string, declaration: OptionDeclaration, value: unknown): string | readonly string[] {
  const key = optionKey(declaration.flags);
  const option = `the key "${key}" in ${file}:`;
  if (declaration.isList === true && Array.isArray(value)) return value.map(String);
  if (!declaration.flags.includes('<')) return flagFromConfig(option, value);
  if (typeof value !== 'string' && typeof value !== 'number') {
    throw cliErrors.OPTION_INVALID({ option, value: JSON.stringify(value), expected: 'text or a number' });
  }
  const text = String(value);
  if (declaration.choices !== undefined && !declaration.choices.includes(text)) {
    throw cliErrors.OPTION_INVALID({ option, value: text, expected: `one of ${declaration.choices.join(', ')}` });
  }
  return declaration.isList === true ? [text] : text;
}

function flagFromConfig(option: string, value: unknown): string {
  if (typeof value === 'boolean') return String(value);
  throw cliErrors.OPTION_INVALID({ option, value: JSON.stringify(value), expected: 'true or false' });
}

export function textSetting(settings: Settings, key: string): string | undefined {
  const value = settings[key];
  return typeof value === 'string' ? value : undefined;
}

export function listSetting(settings: Settings, key: string): readonly string[] {
  const value = settings[key];
  return Array.isArray(value) ? (value as readonly string[]) : [];
}

/** For an option without a value, such as `--new-term`. */
export function flagSetting(settings: Settings, key: string): boolean {
  return settings[key] === 'true';
}

/** Throws OPTION_MISSING, saying what the option is for. */
export function requiredSetting(settings: Settings, key: string, purpose: string): string {
  const value = textSetting(settings, key);
  if (value === undefined || value === '') throw cliErrors.OPTION_MISSING({ option: `--${key}`, purpose });
  return value;
}

export function logLevelOf(settings: Settings, otherwise: LogLevel): LogLevel {
  return (textSetting(settings, 'log-level') as LogLevel | undefined) ?? otherwise;
}

const camelCase = (key: string): string => key.replaceAll(/-([a-z])/g, (_, letter: string) => letter.toUpperCase());

/** `simulate counter` for a subcommand. */
function pathOf(command: Command): string {
  const { parent } = command;
  return (parent?.parent ?? null) === null ? command.name() : `${parent?.name() ?? ''} ${command.name()}`;
}
