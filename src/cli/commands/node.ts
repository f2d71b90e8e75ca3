import type { Command } from 'commander';
import type { Joining, Registration } from '../../cloud/joining.ts';
import { withJoining } from '../joining.ts';
import { settingsOf } from '../options.ts';
import { printJson, printLine } from '../output.ts';
import { tableLines } from '../tables.ts';
import { JOINING_OPTIONS } from './option-tables.ts';

export async function runNodeList(command: Command): Promise<number> {
  const settings = await settingsOf(command, JOINING_OPTIONS);
  return withJoining(settings, async (joining) => {
    const nodes = (await joining.nodes()).map(shown);
    if (settings['output'] === 'json') printJson({ nodes });
    else if (nodes.length === 0) printLine('no node has joined; skerry token create makes what one needs to');
    else
      for (const line of tableLines([
        ['NAME', 'STATE', 'SINCE', 'KEY'],
        ...nodes.map(({ node, state, since, publicKey }) => [node, state, since, publicKey]),
      ]))
        printLine(line);
  });
}

export async function runNodeRevoke(command: Command, name: string): Promise<number> {
  return decide(command, (joining) => joining.revokeNode(name), [
    `${name} is revoked: NATS refuses its key, and its name stays taken`,
    `skerry node release ${name} lets a node of that name join again`,
  ]);
}

export async function runNodeRelease(command: Command, name: string): Promise<number> {
  return decide(command, (joining) => joining.releaseNode(name), [
    `${name} is free: a node of that name can join with a new token; the key that had it is refused`,
  ]);
}

async function decide(
  command: Command,
  decision: (joining: Joining) => Promise<Registration>,
  lines: readonly string[],
): Promise<number> {
  const settings = await settingsOf(command, JOINING_OPTIONS);
  return withJoining(settings, async (joining) => {
    const registration = await decision(joining);
    if (settings['output'] === 'json') printJson(shown(registration));
    else for (const line of lines) printLine(line);
  });
}

interface ShownNode {
  readonly node: string;
  readonly state: string;
  readonly since: string;
  readonly publicKey: string;
}

const shown = ({ node, state, since, publicKey }: Registration): ShownNode => ({
  ...{ node, state, since: new Date(since).toISOString(), publicKey },
});
