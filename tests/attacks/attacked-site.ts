// A hub and a node that serve other machines, and a second node, taken over by somebody who means harm: all of it real, all joined.
import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { connect, type NatsConnection } from 'nats';
import { connectAsync, type IClientOptions, type MqttClient } from 'mqtt';
import { hashPassword } from '../../broker/index.ts';
import { Joining } from '../../src/cloud/joining.ts';
import { ArrivingNode } from '../../src/edge/arriving-node.ts';
import { fetchCa } from '../../src/edge/identity/hub-door.ts';
import type { Joined } from '../../src/edge/identity/identity-files.ts';
import { joinedIn, joinHub } from '../../src/edge/join-node.ts';
import { systemClock } from '../../src/kit/clock.ts';
import { Deadline } from '../../src/kit/deadline.ts';
import { mebibytes, seconds } from '../../src/kit/units.ts';
import { connectionOptions } from '../../src/nats/connection-options.ts';
import { parseJoinToken } from '../../src/wire/join-messages.ts';
import { inboxPrefix } from '../../src/wire/nats-subjects.ts';
import type { NatsAccess } from '../../src/wire/node-identity.ts';
import { HubWorld } from '../integration/cloud/running-hub.ts';
import { ask, certificateFor, type TestCertificate } from '../support/https.ts';
import { outsideAddress } from '../support/outside-address.ts';
import { waitUntil } from '../support/wait-until.ts';
import { WarningLog } from '../support/warning-log.ts';
import type { Counted } from './attack.ts';

const NEVER = new AbortController().signal;
const EVERYWHERE = { host: '0.0.0.0', port: 0 };
export const VICTIM = 'plant-1';
export const ATTACKER = 'plant-9';
export const PASSWORD = 'a password of all';
export const UPDATE = '$hw/events/device/default/pump/twin/update';

export class AttackedSite implements AsyncDisposable {
  readonly world: HubWorld;
  readonly #edgeLog = new WarningLog();
  readonly #hubLog: WarningLog;
  #node: ArrivingNode | undefined;
  #attacker: Joined | undefined;
  #certificate: TestCertificate | undefined;
  #hubCa = '';

  private constructor(world: HubWorld, hubLog: WarningLog) {
    this.world = world;
    this.#hubLog = hubLog;
  }

  static async open(): Promise<AttackedSite> {
    const world = await HubWorld.open();
    const log = new WarningLog();
    world.log = log;
    const site = new AttackedSite(world, log);
    await world.startReadyHub({ http: EVERYWHERE, nats: { kind: 'managed', ...EVERYWHERE, portAskedFor: true } });
    await world.createModel();
    for (const device of ['pump', 'valve']) await world.createCounter(device, { nodeName: VICTIM });
    await site.#readCa();
    site.#attacker = await site.join(ATTACKER);
    await site.join(VICTIM);
    await site.#startNode();
    return site;
  }

  get hubDir(): string {
    return join(this.world.dir, 'hub');
  }

  get joining(): Joining {
    return new Joining(this.world.client, { clock: systemClock });
  }

  /** What the taken node holds, and its owner with it. */
  get attacker(): Joined {
    return this.#attacker ?? assert.fail('not joined yet');
  }

  /** PEM, of who signed the certificate there. */
  caOf(at: Counted['at']): string {
    return at === 'hub' ? this.#hubCa : (this.#certificate?.ca ?? '');
  }

  portOf(at: Counted['at']): number {
    const url = at === 'hub' ? this.world.hub?.addresses.http : this.#node?.addresses.http;
    return Number(new URL(url ?? '').port);
  }

  mqttPort(door: 'mqtt' | 'mqttWs' | 'mqttTls' | 'mqttWss'): number {
    return Number(new URL(this.#node?.addresses[door] ?? '').port);
  }

  get natsPort(): number {
    return Number(new URL(this.world.hub?.addresses.nats ?? '').port);
  }

  /** As the sum over the series. */
  async numberOf({ at, name, series = '' }: Counted): Promise<number> {
    const { text } = await ask(`http://127.0.0.1:${this.portOf(at)}`, '/metrics');
    const lines = text.split('\n').filter((line) => line.startsWith(name) && line.includes(series));
    return lines.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' ') + 1)), 0);
  }

  logOf(at: Counted['at']): string {
    return (at === 'hub' ? this.#hubLog : this.#edgeLog).warnings.join('\n');
  }

  async natsLog(): Promise<string> {
    return await readFile(join(this.hubDir, 'nats', 'nats-server.log'), 'utf8');
  }

  async token(changes: { ttl?: number; uses?: number; nodePattern?: string } = {}): Promise<string> {
    const { ttl = 600, uses = 1, ...rest } = changes;
    return (await this.joining.createToken({ ttl: seconds(ttl), uses, ...rest })).token;
  }

  async join(node: string): Promise<Joined> {
    const order = { dataDir: join(this.world.dir, node), hub: this.#hubUrl, token: await this.token(), node };
    return await joinHub(order, { clock: systemClock, logger: this.#edgeLog }, NEVER);
  }

  /** Connects with these credentials for as long as it takes. */
  async withNats<T>(access: NatsAccess, use: (connection: NatsConnection) => Promise<T>): Promise<T> {
    const options = connectionOptions(access, this.#hubCa);
    const connection = await connect({ ...options, reconnect: false, inboxPrefix: inboxPrefix(ATTACKER) });
    try {
      return await use(connection);
    } finally {
      await connection.close();
    }
  }

  async mqtt(username: string | undefined, more: IClientOptions = {}, host = '127.0.0.1'): Promise<MqttClient> {
    const who = username === undefined ? {} : { username, password: PASSWORD };
    return await connectAsync(`mqtt://${host}:${this.mqttPort('mqtt')}`, { ...who, reconnectPeriod: 0, ...more });
  }

  /** Everybody who means well gets what is theirs: a value of the victim goes all the way, and both are well. */
  async isWell(value: string): Promise<void> {
    const client = await this.mqtt('pump');
    await client.publishAsync(UPDATE, `{"twin":{"count":{"actual":{"value":"${value}"}}}}`, { qos: 1 });
    await client.endAsync();
    await waitUntil('the value of the pump in Kubernetes', async () => {
      const twins = (await this.world.device('pump'))?.status?.twins;
      return twins?.find(({ propertyName }) => propertyName === 'count')?.reported?.value === value;
    });
    await waitUntil('hub and node to be well', () =>
      [this.world.hub, this.#node].every((part) => part?.health().state === 'ok'),
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#node?.stop(Deadline.after(seconds(5)));
    await this.world[Symbol.asyncDispose]();
  }

  get #hubUrl(): string {
    return `https://127.0.0.1:${this.portOf('hub')}`;
  }

  async #readCa(): Promise<void> {
    this.#hubCa = await fetchCa(this.#hubUrl, parseJoinToken(await this.token())?.pin ?? '', NEVER);
  }

  async #startNode(): Promise<void> {
    const dataDir = join(this.world.dir, VICTIM);
    const pair = await certificateFor(outsideAddress());
    this.#certificate = pair;
    const [users, key, certificate] = ['users', 'key', 'certificate'].map((name) => join(this.world.dir, name));
    const hash = await hashPassword(PASSWORD);
    await writeFile(users ?? '', `pump:${hash}\nvalve:${hash}\n`, { mode: 0o600 });
    await writeFile(key ?? '', pair.key, { mode: 0o600 });
    await writeFile(certificate ?? '', pair.certificate);
    const config = {
      ...{ dataDir, mqtt: EVERYWHERE, mqttWs: EVERYWHERE, http: EVERYWHERE, history: 0, uploads: [], version: 'test' },
      mqttAccess: { users: users ?? '', acl: undefined },
      mqttTls: {
        ...{ tcp: EVERYWHERE, ws: EVERYWHERE },
        ...{ certificate: certificate ?? '', key: key ?? '', clientAuthority: undefined },
      },
      httpSecurity: { certificate: () => Promise.resolve(pair), token: 'the-token-of-the-edge-node' },
      broker: { connectTimeout: seconds(2) },
      outbox: { limit: mebibytes(16), age: seconds(3600) },
    };
    const findIdentity = async () => (await joinedIn(dataDir)) ?? assert.fail('not joined');
    this.#node = new ArrivingNode(config, { findIdentity, logger: this.#edgeLog });
    await this.#node.start(NEVER);
  }
}
