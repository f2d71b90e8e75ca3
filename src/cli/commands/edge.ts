import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from 'commander';
import { ArrivingNode, type ArrivingNodeTools } from '../../edge/arriving-node.ts';
import { edgeErrors, parseCredentials, type Address, type EdgeConfig } from '../../edge/edge-config.ts';
import { joinedIn, joinHub } from '../../edge/join-node.ts';
import { systemClock } from '../../kit/clock.ts';
import { messageOf } from '../../kit/errors.ts';
import { encodeNodeIdentity, type NodeIdentity } from '../../wire/node-identity.ts';
import { createLogger, type Logger } from '../../kit/logger.ts';
import { mebibytes, seconds } from '../../kit/units.ts';
import { parseAddress } from '../addresses.ts';
import { parseDuration } from '../durations.ts';
import { cliErrors } from '../errors.ts';
import { httpSecurityOf } from '../http-security.ts';
import { logLevelOf, requiredSetting, settingsOf, textSetting, type Settings } from '../options.ts';
import { printJson, printLine } from '../output.ts';
import { parseFilters } from '../filters.ts';
import { programVersion } from '../package-root.ts';
import { parseBytes } from '../sizes.ts';
import { refuseReadableSecrets } from '../secret-files.ts';
import { runService } from '../run-service.ts';
import { brokerLimitsOf } from './broker-options.ts';
import { noteAddresses } from '../twin/edge-address.ts';
import { usersFileOf } from './mqtt-user.ts';
import { EDGE_OPTIONS } from './option-tables.ts';

const MOST_HISTORY = 10_000;

export async function runEdge(command: Command): Promise<number> {
  const settings = await settingsOf(command, EDGE_OPTIONS);
  const logger = createLogger(logLevelOf(settings, 'info'));
  const edge = await createEdge(settings, logger);
  return runService(edge, { logger, onReady: () => sayReady(edge, settings) });
}

function sayReady({ addresses, identity }: ArrivingNode, settings: Settings): void {
  const dataDir = dataDirOf(settings);
  const { node } = identity;
  if (!('tokenId' in identity)) keepCredentials(dataDir, identity);
  noteAddresses(dataDir, addresses);
  const { mqtt, mqttWs, mqttTls, mqttWss, http } = addresses;
  if (settings['output'] === 'json') printJson({ node, pid: process.pid, mqtt, mqttWs, mqttTls, mqttWss, http });
  else printLine(`edge node ${node}: MQTT ${mqtt}${mqttWs === undefined ? '' : `, WebSocket ${mqttWs}`}, HTTP ${http}`);
}

async function createEdge(settings: Settings, logger: Logger): Promise<ArrivingNode> {
  return new ArrivingNode(await edgeConfig(settings), { findIdentity: identityFinder(settings, logger), logger });
}

const dataDirOf = (settings: Settings): string =>
  requiredSetting(settings, 'data-dir', 'the folder in which this node keeps its twins and facts');

/** As it is asked to join, as it joined before, or with a file that a hub of this machine wrote. */
function identityFinder(settings: Settings, logger: Logger): ArrivingNodeTools['findIdentity'] {
  const dataDir = dataDirOf(settings);
  const given = textSetting(settings, 'credentials');
  if (textSetting(settings, 'hub') === undefined && textSetting(settings, 'token') === undefined)
    return async () => (given === undefined ? await joinedIn(dataDir) : undefined) ?? credentialsFor(dataDir, given);
  const hub = hubOf(requiredSetting(settings, 'hub', 'a token is for a hub: its address'));
  const token = requiredSetting(settings, 'token', 'joining takes what skerry token create printed at the hub');
  if (given !== undefined)
    throw cliErrors.OPTION_INVALID({ option: '--credentials', value: given, expected: 'no such file beside --hub' });
  const node = textSetting(settings, 'node');
  return (signal) => joinHub({ dataDir, hub, token, node }, { clock: systemClock, logger }, signal);
}

function hubOf(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol === 'https:' && url.pathname === '/' && url.username === '') return url.origin;
  throw cliErrors.OPTION_INVALID({
    option: '--hub',
    value: text,
    expected: 'an address such as https://hub.example:8443',
  });
}

async function edgeConfig(settings: Settings): Promise<Omit<EdgeConfig, 'credentials'>> {
  const dataDir = dataDirOf(settings);
  const address = (key: string) => parseAddress(`--${key}`, requiredSetting(settings, key, 'an address'));
  const webSocket = textSetting(settings, 'mqtt-ws');
  const given = ['credentials', 'http-key', 'mqtt-users', 'mqtt-key'].map((key) => textSetting(settings, key));
  refuseReadableSecrets(dataDir, given);
  const http = address('http');
  const httpSecurity = await httpSecurityOf(settings, { dataDir, host: http.host });
  return {
    dataDir,
    mqtt: address('mqtt'),
    mqttWs: webSocket === undefined || webSocket === 'off' ? undefined : address('mqtt-ws'),
    mqttAccess: { users: usersFileOf(dataDir, settings), acl: textSetting(settings, 'mqtt-acl') },
    ...tlsOf(settings),
    http,
    ...(httpSecurity === undefined ? {} : { httpSecurity }),
    outbox: outboxOf(settings),
    history: historyOf(settings),
    uploads: parseFilters('--upload-topics', requiredSetting(settings, 'upload-topics', 'topic filters, or "none"')),
    broker: brokerLimitsOf(settings),
    version: programVersion(),
  };
}

/** Neither is served unless it is asked for. */
function tlsOf(settings: Settings): Pick<EdgeConfig, 'mqttTls'> {
  const addressOf = (key: string): Address | undefined => {
    const text = textSetting(settings, key);
    return text === undefined || text === 'off' ? undefined : parseAddress(`--${key}`, text);
  };
  const [tcp, ws] = [addressOf('mqtt-tls'), addressOf('mqtt-wss')];
  if (tcp === undefined && ws === undefined) return {};
  const certificate = requiredSetting(settings, 'mqtt-cert', 'MQTT over TLS needs the file of a certificate');
  const key = requiredSetting(settings, 'mqtt-key', 'MQTT over TLS needs the file of its certificate’s key');
  return { mqttTls: { tcp, ws, certificate, key, clientAuthority: textSetting(settings, 'mqtt-client-ca') } };
}

function historyOf(settings: Settings): number {
  const text = requiredSetting(settings, 'history', 'a number, or "off"');
  const count = text === 'off' ? 0 : Number(/^[1-9]\d{0,4}$/.exec(text)?.[0]);
  if (count <= MOST_HISTORY) return count;
  const expected = `a number from 1 to ${MOST_HISTORY}, or "off"`;
  throw cliErrors.OPTION_INVALID({ option: '--history', value: text, expected });
}

function outboxOf(settings: Settings): EdgeConfig['outbox'] {
  const limit = requiredSetting(settings, 'outbox-bytes', 'a size');
  const age = requiredSetting(settings, 'outbox-age', 'a time');
  return {
    limit: parseBytes('--outbox-bytes', limit, { least: mebibytes(1), most: mebibytes(1024 * 1024) }),
    age: parseDuration('--outbox-age', age, { least: seconds(1), most: seconds(3650 * 24 * 3600) }),
  };
}

/** Those given, which are kept for the next start, or those kept. */
function credentialsFor(dataDir: string, given: string | undefined): NodeIdentity {
  const kept = join(dataDir, 'credentials.json');
  if (given === undefined && !existsSync(kept)) {
    throw cliErrors.OPTION_MISSING({
      option: '--hub',
      purpose: `the first start in ${dataDir} needs the address of a hub and a --token from it, or, on the hub's own machine, the --credentials file that it wrote`,
    });
  }
  const file = given ?? kept;
  const credentials = parseCredentials(readText(file), file);
  return credentials;
}

/** Only now that the node has started: a start that is refused changes nothing. Replaced whole, so that a crash leaves one or the other. */
function keepCredentials(dataDir: string, credentials: NodeIdentity): void {
  const kept = join(dataDir, 'credentials.json');
  const draft = `${kept}.new`;
  writeFileSync(draft, encodeNodeIdentity(credentials), { mode: 0o600 });
  renameSync(draft, kept);
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw edgeErrors.EDGE_CREDENTIALS_UNREADABLE({ file, problem: `cannot be read (${messageOf(error)})` }, error);
  }
}
