// The two ways out of a local override: the cloud takes the node's value over, or the node takes its own back.
import type { Command } from 'commander';
import { deviceNamed } from '../device-name.ts';
import { settingsOf } from '../options.ts';
import { printJson, printLine } from '../output.ts';
import { edgeOf, kubernetesOf, withSource } from '../twin/sources.ts';
import { TWIN_ACCEPT_OPTIONS, TWIN_EDGE_OPTIONS } from './option-tables.ts';

export async function runTwinAccept(command: Command, device: string, property?: string): Promise<number> {
  const settings = await settingsOf(command, TWIN_ACCEPT_OPTIONS);
  return withSource(kubernetesOf(settings), async (twins) => {
    const accepted = await twins.accept(deviceNamed('the device', device), property);
    if (settings['output'] === 'json') printJson({ device, accepted });
    else
      for (const { property: name, from, to } of accepted)
        printLine(
          `${device}: the spec wants ${name} to be ${to} now, as the node does (it wanted ${from ?? 'nothing'})`,
        );
  });
}

export async function runTwinReset(command: Command, device: string, property: string): Promise<number> {
  const settings = await settingsOf(command, TWIN_EDGE_OPTIONS);
  return withSource(edgeOf(settings), async (twins) => {
    const { desired } = await twins.reset(deviceNamed('the device', device), property);
    if (settings['output'] === 'json') printJson({ device, property, ...(desired === undefined ? {} : { desired }) });
    else printLine(`${device}: what the cloud wants of ${property} counts again: ${desired ?? 'nothing'}`);
  });
}
