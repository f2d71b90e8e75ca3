import type { Command } from 'commander';
import { usesLeft, type TokenRecord } from '../../cloud/joining.ts';
import { seconds } from '../../kit/units.ts';
import { parseCount } from '../counts.ts';
import { parseDuration } from '../durations.ts';
import { cliErrors } from '../errors.ts';
import { withJoining } from '../joining.ts';
import { requiredSetting, settingsOf, textSetting, type Settings } from '../options.ts';
import { printJson, printLine } from '../output.ts';
import { tableLines } from '../tables.ts';
import { JOINING_OPTIONS, TOKEN_CREATE_OPTIONS } from './option-tables.ts';

const TTL = { least: seconds(10), most: seconds(30 * 24 * 3600) };
const USES = { least: 1, most: 1000 };
const PATTERN = /^[a-z0-9.*-]{1,240}$/;

export async function runTokenCreate(command: Command): Promise<number> {
  const settings = await settingsOf(command, TOKEN_CREATE_OPTIONS);
  const ttl = parseDuration('--ttl', requiredSetting(settings, 'ttl', 'how long the token can be used'), TTL);
  const uses = parseCount('--uses', requiredSetting(settings, 'uses', 'how many nodes may join with it'), USES);
  const nodePattern = patternOf(settings);
  return withJoining(settings, async (joining) => {
    const { token, kept } = await joining.createToken({
      ttl,
      uses,
      ...(nodePattern === undefined ? {} : { nodePattern }),
    });
    if (settings['output'] === 'json') printJson({ token, ...shown(kept) });
    else printLine(token);
  });
}

export async function runTokenList(command: Command): Promise<number> {
  const settings = await settingsOf(command, JOINING_OPTIONS);
  return withJoining(settings, async (joining) => {
    const tokens = (await joining.tokens()).map(shown);
    if (settings['output'] === 'json') printJson({ tokens });
    else for (const line of linesOf(tokens)) printLine(line);
  });
}

export async function runTokenDelete(command: Command, id: string): Promise<number> {
  const settings = await settingsOf(command, JOINING_OPTIONS);
  return withJoining(settings, async (joining) => {
    await joining.deleteToken(id);
    if (settings['output'] === 'json') printJson({ deleted: id });
    else printLine(`nobody can join with the token ${id} any more; nodes that have stay`);
  });
}

function patternOf(settings: Settings): string | undefined {
  const pattern = textSetting(settings, 'node-pattern');
  if (pattern === undefined || PATTERN.test(pattern)) return pattern;
  const expected = 'names of nodes with * for anything, such as plant-7-*';
  throw cliErrors.OPTION_INVALID({ option: '--node-pattern', value: pattern, expected });
}

interface ShownToken {
  readonly id: string;
  readonly expiresAt: string;
  readonly uses: number;
  readonly usesLeft: number;
  readonly nodePattern?: string;
  readonly nodes: readonly string[];
}

/** Without the hash of its secret, which is of use to nobody. */
function shown(token: TokenRecord): ShownToken {
  const { id, expiresAt, uses, nodePattern, redeemed } = token;
  return {
    ...{ id, expiresAt: new Date(expiresAt).toISOString(), uses, usesLeft: usesLeft(token) },
    ...(nodePattern === undefined ? {} : { nodePattern }),
    nodes: redeemed.map(({ node }) => node),
  };
}

function linesOf(tokens: readonly ShownToken[]): readonly string[] {
  if (tokens.length === 0) return ['no tokens; skerry token create makes one'];
  const rows = tokens.map(({ id, expiresAt, uses, usesLeft: left, nodePattern, nodes }) => [
    id,
    expiresAt,
    `${left} of ${uses}`,
    nodePattern ?? '*',
    nodes.join(',') || '-',
  ]);
  return tableLines([['ID', 'EXPIRES', 'USES LEFT', 'FOR', 'JOINED WITH IT'], ...rows]);
}
