// What a twin was: its changes, and the whole of it at a moment. Asked at the edge node, where history is kept.
import type { Command } from 'commander';
import type { HistoryEntry } from '../../model/twin-history.ts';
import { deviceNamed } from '../device-name.ts';
import { cliErrors } from '../errors.ts';
import { momentOf } from '../moments.ts';
import { requiredSetting, settingsOf, textSetting, type Settings } from '../options.ts';
import { printJson, printLine } from '../output.ts';
import { tableLines, visible } from '../tables.ts';
import type { PastTwin, PastValue } from '../twin/edge-twins.ts';
import { edgeOf, withSource } from '../twin/sources.ts';
import { TWIN_HISTORY_OPTIONS } from './option-tables.ts';

const MOST_SHOWN = 10_000;
const SHOWN_OF_VALUE = 60;
const SETTERS = { cloud: 'the cloud', local: 'the node', nobody: '' } as const;

export async function runTwinHistory(command: Command, device: string, property?: string): Promise<number> {
  const settings = await settingsOf(command, TWIN_HISTORY_OPTIONS);
  const since = textSetting(settings, 'since');
  const question = {
    limit: limitOf(requiredSetting(settings, 'limit', 'a number')),
    ...(property === undefined ? {} : { property }),
    ...(since === undefined ? {} : { since: momentOf('--since', since, Date.now()) }),
  };
  return withSource(edgeOf(settings), async (twins) => {
    const { kept, isCut, entries } = await twins.history(deviceNamed('the device', device), question);
    if (settings['output'] === 'json') {
      printJson({ device, kept, isCut, entries: entries.map(shownEntry) });
      return;
    }
    const rows = entries.map((entry) => [
      timeOf(entry.at),
      subjectOf(entry),
      textOf(entry),
      SETTERS[entry.origin ?? 'nobody'],
    ]);
    for (const line of tableLines([['TIME', 'WHAT', 'VALUE', 'SET BY'], ...rows])) printLine(line);
    if (kept === 0) printLine('this node keeps no history; start it with --history COUNT');
    if (isCut) printLine(`only the newest ${entries.length} are shown; --limit shows more`);
  });
}

/** `skerry twin get --at`. */
export async function showTwinAt(settings: Settings, device: string, at: string): Promise<number> {
  if (textSetting(settings, 'kubeconfig') !== undefined)
    throw cliErrors.OPTION_INVALID({ option: '--at', value: at, expected: AT_THE_EDGE });
  const moment = momentOf('--at', at, Date.now());
  return withSource(edgeOf(settings), async (twins) => {
    const twin = await twins.at(deviceNamed('the device', device), moment);
    if (settings['output'] === 'json') printJson(shownTwin(twin));
    else for (const line of pastLines(twin)) printLine(line);
  });
}

const AT_THE_EDGE = 'to be asked at an edge node, which keeps history: give --edge instead of --kubeconfig';

function limitOf(text: string): number {
  const limit = Number(/^[1-9]\d{0,5}$/.exec(text)?.[0]);
  if (limit <= MOST_SHOWN) return limit;
  throw cliErrors.OPTION_INVALID({ option: '--limit', value: text, expected: `a number from 1 to ${MOST_SHOWN}` });
}

function shownEntry({ kind, property, at, deviceTime, before: _before, ...entry }: HistoryEntry): object {
  const time = deviceTime === undefined ? {} : { deviceTime: timeOf(deviceTime) };
  return { time: timeOf(at), kind, ...(property === '' ? {} : { property }), ...entry, ...time };
}

const shownValue = ({ at, value, length, origin }: PastValue): object => ({
  ...(value === undefined ? {} : { value }),
  ...(length === undefined ? {} : { length }),
  ...(origin === undefined ? {} : { origin }),
  since: timeOf(at),
});

function shownTwin({ device, at, state, properties, unknown }: PastTwin): object {
  const past = Object.entries(properties).map(([property, { reported, desired }]) => ({
    property,
    ...(desired === undefined ? {} : { desired: shownValue(desired) }),
    ...(reported === undefined ? {} : { reported: shownValue(reported) }),
  }));
  const missing = unknown.map(({ since, ...what }) => ({ ...what, reachesBackTo: timeOf(since) }));
  const shown = state === undefined ? {} : { state: shownValue(state) };
  return { device, at: timeOf(at), isComplete: unknown.length === 0, ...shown, properties: past, unknown: missing };
}

function pastLines({ device, at, state, properties, unknown }: PastTwin): readonly string[] {
  const rows = Object.entries(properties).map(([property, { reported, desired }]) => [
    property,
    desired === undefined ? '-' : `${textOf(desired)}${desired.origin === 'local' ? ' (set at the node)' : ''}`,
    reported === undefined ? '-' : textOf(reported),
  ]);
  const missing = unknown.map(
    ({ kind, property, since }) =>
      `${kind}${property === '' ? '' : ` ${property}`}: not known; history reaches back to ${timeOf(since)}`,
  );
  const head = `${device} at ${timeOf(at)}  ${visible(state?.value ?? 'state unknown')}`;
  return [head, ...tableLines([['PROPERTY', 'DESIRED', 'REPORTED'], ...rows]), ...missing];
}

const timeOf = (moment: number): string => new Date(moment).toISOString();
const subjectOf = ({ kind, property }: HistoryEntry): string => (property === '' ? kind : `${property} ${kind}`);

function textOf({ value, length }: Pick<PastValue, 'value' | 'length'>): string {
  if (value === undefined) return '(removed)';
  const isLong = length !== undefined || value.length > SHOWN_OF_VALUE;
  return isLong ? `${value.slice(0, SHOWN_OF_VALUE)}… (${length ?? value.length} characters)` : value;
}
