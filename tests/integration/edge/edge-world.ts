// An edge node with real neighbours for one test: a nats-server whose streams the hub made, the node's user with its permissions
// and nothing else, MQTT clients, and a hub's hand to put desired state.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connectAsync, type IClientOptions, type MqttClient } from 'mqtt';
import type { EdgeConfig } from '../../../src/edge/edge-config.ts';
import { EdgeNode } from '../../../src/edge/edge-node.ts';
import { fingerprintOf } from '../../../src/kit/fingerprint.ts';
import { Deadline } from '../../../src/kit/deadline.ts';
import { silentLogger } from '../../../src/kit/logger.ts';
import { mebibytes, seconds } from '../../../src/kit/units.ts';
import type { DeviceDefinition, DeviceId } from '../../../src/model/device.ts';
import { putIfRevision, readLast } from '../../../src/nats/direct-get.ts';
import { ensureStreams } from '../../../src/nats/jetstream-admin.ts';
import { NatsLink } from '../../../src/nats/nats-link.ts';
import { wantedStreams } from '../../../src/nats/stream-plan.ts';
import { encodeDefinition, encodeIndex } from '../../../src/wire/desired.ts';
import { decodeBatch, type DeviceEvent } from '../../../src/wire/device-events.ts';
import {
  bucketSubject,
  CLAIM_BUCKET,
  claimKey,
  DESIRED_BUCKET,
  DESIRED_STREAM,
  desiredKey,
  indexKey,
  nodePermissions,
  UP_STREAM,
} from '../../../src/wire/nats-subjects.ts';
import { claimFloor, encodeClaim } from '../../../src/wire/node-reports.ts';
import { CuttableRoad } from '../../support/cuttable-road.ts';
import { startNats, type TestNats } from '../../support/nats-server.ts';
import { ROOMY } from '../../support/roomy-outbox.ts';
import { waitUntil } from '../../support/wait-until.ts';
import { WarningLog } from '../../support/warning-log.ts';

export const NEVER = new AbortController().signal;
export const NODE = 'n1';
const PASSWORD = 'node-password';

export interface StreamEvent extends DeviceEvent {
  readonly subject: string;
}

export class EdgeWorld implements AsyncDisposable {
  readonly dir: string;
  readonly nats: TestNats;
  readonly hub: NatsLink;
  readonly log = new WarningLog();
  edge: EdgeNode | undefined;
  /** Of the outbox of edges that are created. */
  limits: EdgeConfig['outbox'] = ROOMY;
  /** Of edges that are created; the default where there are none. */
  presence: EdgeConfig['presence'];
  /** Topics that go to the cloud, of edges that are created. */
  uploads: readonly string[] = ['+/user/#'];
  /** Where there is one, edges started later reach the server over it. */
  road: CuttableRoad | undefined;
  #generation = 0;
  #bucket = 'bucket-1';
  readonly #keys: Record<string, string> = {};
  readonly #clients: MqttClient[] = [];
  readonly #others: EdgeNode[] = [];

  private constructor(dir: string, nats: TestNats, hub: NatsLink) {
    this.dir = dir;
    this.nats = nats;
    this.hub = hub;
  }

  static async open(permissions = nodePermissions(NODE)): Promise<EdgeWorld> {
    const dir = await mkdtemp(join(tmpdir(), 'skerry-edge-'));
    const nats = await startNats([{ user: NODE, password: PASSWORD, permissions }]);
    const { url, user, password } = nats;
    const hub = new NatsLink(
      { credentials: () => ({ url, user, password }), clientName: 'hub', inboxPrefix: '_INBOX_hub' },
      { logger: silentLogger },
    );
    await hub.start(NEVER);
    await waitUntil('the hub to reach NATS', () => hub.connected);
    await ensureStreams(hub, wantedStreams(mebibytes(256)));
    const world = new EdgeWorld(dir, nats, hub);
    await world.prepareClaim(0);
    return world;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const client of this.#clients) await client.endAsync(true);
    await this.stopEdge();
    for (const other of this.#others) await other.stop(Deadline.after(seconds(2)));
    await this.road?.[Symbol.asyncDispose]();
    await this.hub.stop(Deadline.after(seconds(1)));
    await this.nats.stop();
    await rm(this.dir, { recursive: true, force: true });
  }

  createEdge(dataDir = join(this.dir, 'edge'), port = 0): EdgeNode {
    const any = { host: '127.0.0.1', port: 0 };
    const nats = {
      url: this.road === undefined ? this.nats.url : `nats://${this.road.host}`,
      user: NODE,
      password: PASSWORD,
    };
    const addresses = { mqtt: { host: '127.0.0.1', port }, mqttWs: undefined, http: any };
    const presence = this.presence === undefined ? {} : { presence: this.presence };
    return new EdgeNode(
      {
        dataDir,
        credentials: { node: NODE, nats },
        ...addresses,
        outbox: this.limits,
        uploads: this.uploads,
        ...presence,
        history: 100,
        version: 'test',
      },
      { logger: this.log },
    );
  }

  async startEdge(port = 0): Promise<EdgeNode> {
    this.edge = this.createEdge(join(this.dir, 'edge'), port);
    await this.edge.start(NEVER);
    return this.edge;
  }

  async layRoad(): Promise<CuttableRoad> {
    this.road = await CuttableRoad.to(this.nats.url);
    return this.road;
  }

  /** Another instance under the same node name, with a store of its own, or a copy. */
  async startOther(dataDir = join(this.dir, `other-${this.#others.length}`)): Promise<EdgeNode> {
    const other = this.createEdge(dataDir);
    this.#others.push(other);
    await other.start(NEVER);
    return other;
  }

  async stopEdge(): Promise<void> {
    const edge = this.edge;
    this.edge = undefined;
    await edge?.stop(Deadline.after(seconds(3)));
  }

  async uplinkOpen(edge = this.edge): Promise<void> {
    await waitUntil('the edge to be linked', () => edge?.health().state === 'ok');
  }

  async client(options: IClientOptions = {}, edge = this.edge): Promise<MqttClient> {
    const client = await connectAsync(edge?.addresses.mqtt ?? '', { reconnectPeriod: 50, ...options });
    this.#clients.push(client);
    return client;
  }

  /** A client that keeps everything it hears, in order. */
  async listener(filter: string | string[] = ['$hw/#', '$skerry/#'], edge = this.edge): Promise<Heard> {
    const client = await this.client({}, edge);
    const heard = new Heard();
    client.on('message', (topic, payload, { retain }) =>
      heard.messages.push({ topic, payload: payload.toString(), retain }),
    );
    await client.subscribeAsync(filter, { qos: 1 });
    return heard;
  }

  // The hub's hand.

  /** Where nobody has claimed the node yet. */
  async prepareClaim(term: number): Promise<void> {
    const subject = bucketSubject(CLAIM_BUCKET, claimKey(NODE));
    await putIfRevision(this.hub, subject, encodeClaim(claimFloor(term)), 0);
  }

  async put(definition: DeviceDefinition): Promise<void> {
    await this.putBytes(definition, encodeDefinition(definition));
  }

  async putBytes(device: DeviceId, bytes: Uint8Array): Promise<void> {
    await this.putObject(device, bytes);
    await this.putIndex();
  }

  /** Named by the next index. */
  async putObject(device: DeviceId, bytes: Uint8Array): Promise<void> {
    const key = desiredKey(NODE, 'device', device);
    await this.#write(key, bytes);
    this.#keys[key] = fingerprintOf(bytes);
  }

  /** The deletion mark that follows the index which no longer names the object. */
  async putMark(device: DeviceId): Promise<void> {
    const subject = bucketSubject(DESIRED_BUCKET, desiredKey(NODE, 'device', device));
    await this.hub.request(subject, new Uint8Array(), { headers: { 'KV-Operation': 'DEL' } });
  }

  async putIndexBytes(bytes: Uint8Array): Promise<void> {
    await this.#write(indexKey(NODE), bytes);
  }

  /** What a lost NATS store leaves of the bucket: an empty one, whose revisions begin again. */
  async emptyBucket(): Promise<void> {
    const jsm = await this.hub.jetStreamConnection()?.jetstreamManager();
    await jsm?.streams.delete(DESIRED_STREAM);
    await ensureStreams(this.hub, wantedStreams(mebibytes(256)));
  }

  async remove(definition: DeviceDefinition): Promise<void> {
    this.unname(definition);
    await this.putIndex();
  }

  /** From the next index on. */
  unname(device: DeviceId): void {
    Reflect.deleteProperty(this.#keys, desiredKey(NODE, 'device', device));
  }

  async putIndex(
    bucket = this.#bucket,
    generation = bucket === this.#bucket ? this.#generation + 1 : 1,
  ): Promise<void> {
    this.#generation = generation;
    this.#bucket = bucket;
    await this.putIndexBytes(encodeIndex({ bucket, generation, keys: this.#keys }));
  }

  async #write(key: string, bytes: Uint8Array): Promise<number> {
    const subject = bucketSubject(DESIRED_BUCKET, key);
    const last = await readLast(this.hub, DESIRED_STREAM, subject);
    const revision = await putIfRevision(this.hub, subject, bytes, last?.sequence ?? 0);
    return revision === 'conflict' ? Promise.reject(new Error(`somebody else wrote ${key}`)) : revision;
  }

  // What the stream holds.

  async upEvents(): Promise<StreamEvent[]> {
    const jsm = await this.hub.jetStreamConnection()?.jetstreamManager();
    if (jsm === undefined) throw new Error('the hub is not linked');
    const { first_seq: first, last_seq: last, messages } = (await jsm.streams.info(UP_STREAM)).state;
    const events: StreamEvent[] = [];
    for (let seq = first; messages > 0 && seq <= last; seq += 1) {
      const { subject, data } = await jsm.streams.getMessage(UP_STREAM, { seq });
      const batch = decodeBatch(data);
      if (batch.kind === 'refused') throw new Error(batch.reason);
      events.push(...batch.events.map((event) => ({ ...event, subject })));
    }
    return events;
  }

  /** Reported values of a property, in the order of the stream. */
  async reported(property: string, device?: string): Promise<string[]> {
    const events = await this.upEvents();
    const wanted = events.filter((event) => event.kind === 'reported' && event.property === property);
    return wanted.filter((event) => device === undefined || event.device.name === device).map(({ value }) => value);
  }
}

export interface HeardMessage {
  readonly topic: string;
  readonly payload: string;
  readonly retain: boolean;
}

export class Heard {
  readonly messages: HeardMessage[] = [];

  on(topic: string): HeardMessage[] {
    return this.messages.filter((message) => message.topic === topic);
  }

  async first(topic: string, matching = ''): Promise<Record<string, unknown>> {
    const find = (): HeardMessage | undefined => this.on(topic).find(({ payload }) => payload.includes(matching));
    const { payload } = await waitUntil(`${matching} on ${topic}`, find);
    return JSON.parse(payload) as Record<string, unknown>;
  }
}

export const BOILER: DeviceDefinition = {
  namespace: 'default',
  name: 'boiler',
  uid: 'uid-1',
  binding: 1,
  protocol: 'modbus',
  protocolConfig: { ip: '10.0.0.7' },
  properties: [
    { name: 'setpoint', type: 'INT', accessMode: 'ReadWrite', minimum: '0', maximum: '95', desired: '70' },
    { name: 'count', type: 'INT', accessMode: 'ReadOnly' },
  ],
};

export const UPDATE = '$hw/events/device/default/boiler/twin/update';
export const SHORT_UPDATE = '$hw/events/device/boiler/twin/update';

export const report = (property: string, value: unknown, eventId = ''): string =>
  JSON.stringify({ event_id: eventId, timestamp: 0, twin: { [property]: { actual: { value } } } });

export const wish = (property: string, value: unknown, eventId = ''): string =>
  JSON.stringify({ event_id: eventId, timestamp: 0, twin: { [property]: { expected: { value } } } });

export function wanting(desired: string): DeviceDefinition {
  const properties = BOILER.properties.map((one) => (one.name === 'setpoint' ? { ...one, desired } : one));
  return { ...BOILER, properties };
}
