#!/usr/bin/env node
// The one program. Reads options, hands over to a command, turns its outcome into an exit code: 0 success, 1 failure, 2 wrong use.
// Each command's parts are loaded only when it runs: an edge node does not carry the hub's memory.
import { Command, CommanderError } from 'commander';
import {
  CHAOS_OPTIONS,
  COUNTER_OPTIONS,
  DEMO_OPTIONS,
  EDGE_OPTIONS,
  EDGE_REPAIR_OPTIONS,
  HUB_OPTIONS,
  CERTIFICATE_OPTIONS,
  JOINING_OPTIONS,
  MQTT_USER_ADD_OPTIONS,
  MQTT_USER_OPTIONS,
  NATS_CONFIG_OPTIONS,
  NATS_USER_CREATE_OPTIONS,
  TOKEN_CREATE_OPTIONS,
  TWIN_ACCEPT_OPTIONS,
  TWIN_EDGE_OPTIONS,
  TWIN_GET_OPTIONS,
  TWIN_HISTORY_OPTIONS,
  TWIN_OPTIONS,
  VOUCHING_OPTIONS,
} from './commands/option-tables.ts';
import { declareOptions } from './options.ts';
import { printError, printJson, printLine } from './output.ts';
import { programVersion } from './package-root.ts';

type Run = (command: Command, ...operands: string[]) => Promise<number>;

const program = new Command('skerry')
  .description('MQTT-first, event-driven edge runtime for Kubernetes')
  .version(programVersion(), '--version', 'print the version')
  .showHelpAfterError('(skerry --help lists the commands)')
  // What stands behind a command is the command's: `edge repair` and `edge` have options of the same name.
  .enablePositionalOptions()
  .exitOverride();

/** Commander hands over operands, then options, then the command itself. */
function runs(load: () => Promise<Run>): (...given: unknown[]) => Promise<void> {
  return async (...given) => {
    const command = given.at(-1) as Command;
    const run = await load();
    process.exitCode = await run(command, ...(given.slice(0, -2) as string[]));
  };
}

declareOptions(
  program.command('demo').description('everything on this machine, with a virtual counter as a Device'),
  DEMO_OPTIONS,
).action(runs(async () => (await import('./commands/demo.ts')).runDemo));
declareOptions(program.command('hub').description('the process beside the Kubernetes API'), HUB_OPTIONS).action(
  runs(async () => (await import('./commands/hub.ts')).runHub),
);
const edge = program.command('edge').description('the process beside the devices').enablePositionalOptions();
declareOptions(edge, EDGE_OPTIONS).action(runs(async () => (await import('./commands/edge.ts')).runEdge));
declareOptions(
  edge.command('repair').description('mend a damaged store, or decide that a diverged one goes on'),
  EDGE_REPAIR_OPTIONS,
).action(runs(async () => (await import('./commands/edge-repair.ts')).runEdgeRepair));

const mqttUser = program.command('mqtt-user').description('who may come in by MQTT at an edge node');
declareOptions(
  mqttUser.command('add <name>').description('add a user, or give it a new password'),
  MQTT_USER_ADD_OPTIONS,
).action(runs(async () => (await import('./commands/mqtt-user.ts')).runMqttUserAdd));
declareOptions(
  mqttUser.command('remove <name>').description('remove a user, and cut its connections'),
  MQTT_USER_OPTIONS,
).action(runs(async () => (await import('./commands/mqtt-user.ts')).runMqttUserRemove));
declareOptions(mqttUser.command('list').description('print the names of the users'), MQTT_USER_OPTIONS).action(
  runs(async () => (await import('./commands/mqtt-user.ts')).runMqttUserList),
);

declareOptions(
  program.command('chaos').description('kills and cuts a site on this machine, and counts what arrives'),
  CHAOS_OPTIONS,
).action(runs(async () => (await import('./commands/chaos.ts')).runChaos));

const simulate = program.command('simulate').description('devices that do not exist');
declareOptions(simulate.command('counter').description('a device that counts, by MQTT'), COUNTER_OPTIONS).action(
  runs(async () => (await import('./commands/simulate-counter.ts')).runCounter),
);

const twin = program.command('twin').description('twins without kubectl, at the hub or at an edge node');
declareOptions(twin.command('get <device>').description('print a device’s twin'), TWIN_GET_OPTIONS).action(
  runs(async () => (await import('./commands/twin.ts')).runTwinGet),
);
declareOptions(twin.command('watch <device>').description('print it again whenever it changes'), TWIN_OPTIONS).action(
  runs(async () => (await import('./commands/twin.ts')).runTwinWatch),
);
declareOptions(
  twin.command('set <device> <property=value>').description('say what a property should be'),
  TWIN_OPTIONS,
).action(runs(async () => (await import('./commands/twin.ts')).runTwinSet));

declareOptions(
  twin.command('history <device> [property]').description('print how it changed, as its edge node remembers'),
  TWIN_HISTORY_OPTIONS,
).action(runs(async () => (await import('./commands/twin-past.ts')).runTwinHistory));
declareOptions(
  twin.command('accept <device> [property]').description('take what stands at its node into the Device’s spec'),
  TWIN_ACCEPT_OPTIONS,
).action(runs(async () => (await import('./commands/twin-override.ts')).runTwinAccept));
declareOptions(
  twin.command('reset <device> <property>').description('let the cloud’s word count again at the node'),
  TWIN_EDGE_OPTIONS,
).action(runs(async () => (await import('./commands/twin-override.ts')).runTwinReset));

const token = program.command('token').description('what lets nodes of other machines join');
declareOptions(token.command('create').description('make one, and print it'), TOKEN_CREATE_OPTIONS).action(
  runs(async () => (await import('./commands/token.ts')).runTokenCreate),
);
declareOptions(token.command('list').description('print those that there are'), JOINING_OPTIONS).action(
  runs(async () => (await import('./commands/token.ts')).runTokenList),
);
declareOptions(token.command('delete <id>').description('let nobody join with it any more'), JOINING_OPTIONS).action(
  runs(async () => (await import('./commands/token.ts')).runTokenDelete),
);

const node = program.command('node').description('nodes that have joined');
declareOptions(node.command('list').description('print them'), JOINING_OPTIONS).action(
  runs(async () => (await import('./commands/node.ts')).runNodeList),
);
declareOptions(
  node.command('revoke <name>').description('void its key, and keep its name taken'),
  JOINING_OPTIONS,
).action(runs(async () => (await import('./commands/node.ts')).runNodeRevoke));
declareOptions(
  node.command('release <name>').description('void its key, and let another node join under its name'),
  JOINING_OPTIONS,
).action(runs(async () => (await import('./commands/node.ts')).runNodeRelease));

const natsUser = program.command('nats-user').description('programs in the cloud that hear what nodes report');
declareOptions(
  natsUser.command('create <name>').description('make one, and write its credentials'),
  NATS_USER_CREATE_OPTIONS,
).action(runs(async () => (await import('./commands/nats-user.ts')).runNatsUserCreate));
declareOptions(natsUser.command('list').description('print those that there are'), VOUCHING_OPTIONS).action(
  runs(async () => (await import('./commands/nats-user.ts')).runNatsUserList),
);
declareOptions(natsUser.command('remove <name>').description('void its key'), VOUCHING_OPTIONS).action(
  runs(async () => (await import('./commands/nats-user.ts')).runNatsUserRemove),
);
declareOptions(
  program.command('nats-config').description('configuration for a NATS server of your own that believes a hub'),
  NATS_CONFIG_OPTIONS,
).action(runs(async () => (await import('./commands/nats-config.ts')).runNatsConfig));
declareOptions(
  program.command('certificate <host...>').description('a certificate of the hub’s authority, for who serves there'),
  CERTIFICATE_OPTIONS,
).action(runs(async () => (await import('./commands/certificate.ts')).runCertificate));

program
  .command('version')
  .description('print the version')
  .option('--output <form>', 'text or json', 'text')
  .action(({ output }: { output: string }) => {
    if (output === 'json') printJson({ version: programVersion(), node: process.version });
    else printLine(`skerry ${programVersion()}`);
  });

/** A reader that went away (`skerry … | head`) is not a failure. */
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
});

async function main(): Promise<void> {
  try {
    await program.parseAsync();
  } catch (error) {
    if (error instanceof CommanderError) {
      process.exitCode = error.exitCode === 0 ? 0 : 2;
      return;
    }
    printError(error, wantsJson());
    process.exitCode = 1;
  }
}

const wantsJson = (): boolean => /(^| )--output[ =]json( |$)/.test(process.argv.slice(2).join(' '));

await main();
// Whatever a stopped part left behind (a socket in its last throes) must not keep the process: everything that counts is done.
setTimeout(() => process.exit(), 500).unref();
