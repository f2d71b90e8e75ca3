import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from 'commander';
import { EdgeNode } from '../../edge/edge-node.ts';
import { edgeErrors, parseCredentials, type Address, type EdgeConfig } from '../../edge/edge-config.ts';
import { messageOf } from '../../kit/errors.ts';
import { encodeNodeIdentity, type NodeIdentity } from '../../wire/node-identity.ts';
import { createLogger } from '../../kit/logger.ts';
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
  const config = await edgeConfig(settings);
  const edge = new EdgeNode(config, { logger });
  return runService(edge, {
    logger,
    onReady: () => {
      keepCredentials(config);
      const { mqtt, mqttWs, mqttTls, mqttWss, http } = edge.addresses;
      noteAddresses(config.dataDir, edge.addresses);
      if (settings['output'] === 'json')
        printJson({ node: config.credentials.node, pid: process.pid, mqtt, mqttWs, mqttTls, mqttWss, http });
      else
        printLine(
          `edge node ${config.credentials.node}: MQTT ${mqtt}${mqttWs === undefined ? '' : `, WebSocket ${mqttWs}`}, HTTP ${http}`,
        );
    },
  });
}

async function edgeConfig(settings: Settings): Promise<EdgeConfig> {
  const dataDir = requiredSetting(settings, 'data-dir', 'the folder in which this node keeps its twins and facts');
  const address = (key: string) => parseAddress(`--${key}`, requiredSetting(settings, key, 'an address'));
  const webSocket = textSetting(settings, 'mqtt-ws');
  const given = ['credentials', 'http-key', 'mqtt-users', 'mqtt-key'].map((key) => textSetting(settings, key));
  refuseReadableSecrets(dataDir, given);
  const http = address('http');
  const httpSecurity = await httpSecurityOf(settings, { dataDir, host: http.host });
  return {
    dataDir,
    credentials: credentialsFor(dataDir, textSetting(settings, 'credentials')),
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
      option: '--credentials',
      purpose: `the first start in ${dataDir} needs the file that the hub wrote for this node`,
    });
  }
  const file = given ?? kept;
  const credentials = parseCredentials(readText(file), file);
  return credentials;
}

/** Only now that the node has started: a start that is refused changes nothing. Replaced whole, so that a crash leaves one or the other. */
function keepCredentials({ dataDir, credentials }: EdgeConfig): void {
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
