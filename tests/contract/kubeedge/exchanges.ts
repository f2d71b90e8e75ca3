// A table of exchanges between a client and an edge node: what was there, what is published, and every answer, word for word and
// in order. Each runs with the MQTT.js client and with Mosquitto's programs, in both forms of address and in another namespace.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { after, before, test } from 'node:test';
import type { MqttClient } from 'mqtt';
import type { DeviceDefinition, PropertyDefinition } from '../../../src/model/device.ts';
import { encodeDefinition } from '../../../src/wire/desired.ts';
import { EdgeWorld, type HeardMessage } from '../../integration/edge/edge-world.ts';
import { collectLines, type Listener } from '../../support/processes.ts';
import { waitUntil } from '../../support/wait-until.ts';

export interface Exchange {
  readonly title: string;
  /** What the DeviceModel declares; nothing, as KubeEdge's edge knows no models. */
  readonly declared?: readonly PropertyDefinition[];
  /** Nobody has applied this device. */
  readonly isUnknown?: true;
  /** Payloads of `twin/update` before. */
  readonly given?: readonly string[];
  readonly publish: readonly [request: 'twin/update' | 'twin/get' | 'state/update', payload: string];
  /** Answers, in order; `TIME`, `UUID` and `DEVICE` stand for what differs each time. */
  readonly expect: readonly (readonly [answer: string, payload: string])[];
}

interface Client {
  publish(topic: string, payload: string): Promise<void>;
  heard(): readonly Pick<HeardMessage, 'topic' | 'payload'>[];
}

interface Way {
  readonly name: string;
  readonly namespace: string;
  readonly isShort: boolean;
}

const WAYS: readonly Way[] = [
  { name: 'namespace-default', namespace: 'default', isShort: false },
  { name: 'one-level', namespace: 'default', isShort: true },
  { name: 'another-namespace', namespace: 'plant', isShort: false },
];
const PROGRAMS = ['mqttjs', 'mosquitto'] as const;
const ROOT = '$hw/events/device';

/** Declares one test for each exchange; the node and the clients are shared by all of them. */
export function testExchanges(exchanges: readonly Exchange[]): void {
  let world: EdgeWorld;
  let listener: Listener;
  let clients: Record<(typeof PROGRAMS)[number], Client>;

  before(async () => {
    world = await EdgeWorld.open();
    await world.startEdge();
    await define(world, exchanges);
    const port = Number(new URL(world.edge?.addresses.mqtt ?? '').port);
    listener = collectLines('mosquitto_sub', subscription(port));
    clients = { mqttjs: await libraryClient(world), mosquitto: mosquittoClient(port, listener) };
    await hearing(clients);
    await sayOnline(clients.mqttjs, exchanges);
  });

  after(async () => {
    listener[Symbol.dispose]();
    await world[Symbol.asyncDispose]();
  });

  for (const [place, exchange] of exchanges.entries())
    test(exchange.title, async () => {
      const runs = PROGRAMS.flatMap((program) => WAYS.map((way) => ({ program, way })));
      await Promise.all(runs.map(({ program, way }) => run(clients[program], exchange, deviceOf(place, program, way))));
    });
}

interface TestedDevice {
  readonly namespace: string;
  readonly name: string;
  /** Where its client publishes. */
  readonly address: string;
}

function deviceOf(place: number, program: string, way: Way): TestedDevice {
  const name = `${program}-${way.name}-${place}`;
  return {
    namespace: way.namespace,
    name,
    address: way.isShort ? `${ROOT}/${name}` : `${ROOT}/${way.namespace}/${name}`,
  };
}

async function define(world: EdgeWorld, exchanges: readonly Exchange[]): Promise<void> {
  const devices: DeviceDefinition[] = [];
  for (const [place, { declared = [], isUnknown }] of exchanges.entries())
    for (const program of PROGRAMS)
      for (const way of WAYS) {
        const { namespace, name } = deviceOf(place, program, way);
        if (isUnknown === true) continue;
        devices.push({ namespace, name, uid: `uid-${name}`, binding: 1, protocol: 'virtual', properties: declared });
      }
  await Promise.all(devices.map((device) => world.putObject(device, encodeDefinition(device))));
  await world.putIndex();
  const known = async (): Promise<unknown[]> =>
    (await (await fetch(`${world.edge?.addresses.http ?? ''}/twins`)).json()) as unknown[];
  await waitUntil('all devices to be known', async () => (await known()).length === devices.length);
}

const subscription = (port: number): string[] => [
  ...['-h', '127.0.0.1', '-p', String(port), '-q', '1', '-F', '%t %p'],
  ...['-t', '$hw/#', '-t', 'ready/#'],
];

async function libraryClient(world: EdgeWorld): Promise<Client> {
  const heard = await world.listener(['$hw/#', 'ready/#']);
  const client: MqttClient = await world.client();
  return {
    publish: async (topic, payload) => {
      await client.publishAsync(topic, payload, { qos: 1 });
    },
    heard: () => heard.messages,
  };
}

function mosquittoClient(port: number, listener: Listener): Client {
  return {
    publish: async (topic, payload) => {
      const args = ['-h', '127.0.0.1', '-p', String(port), '-q', '1', '-t', topic, '-m', payload];
      const [code] = (await once(spawn('mosquitto_pub', args, { stdio: 'inherit' }), 'exit')) as [number];
      assert.equal(code, 0, `mosquitto_pub to ${topic}`);
    },
    heard: () =>
      listener.lines.map((line) => ({
        topic: line.slice(0, line.indexOf(' ')),
        payload: line.slice(line.indexOf(' ') + 1),
      })),
  };
}

async function hearing(clients: Readonly<Record<string, Client>>): Promise<void> {
  for (const client of Object.values(clients))
    await waitUntil('the subscription', async () => {
      await client.publish('ready/now', 'x');
      return client.heard().some(({ topic }) => topic === 'ready/now');
    });
}

async function run(client: Client, exchange: Exchange, device: TestedDevice): Promise<void> {
  const { address } = device;
  for (const payload of exchange.given ?? []) await client.publish(`${address}/twin/update`, payload);
  await settled(client, device, 'begin');
  const [request, payload] = exchange.publish;
  await client.publish(`${address}/${request}`, payload);
  await settled(client, device, 'end');
  for (const form of formsOf(device)) assert.deepEqual(answersOn(client, form, device), exchange.expect, form);
}

const formsOf = ({ namespace, name }: TestedDevice): string[] =>
  namespace === 'default' ? [`${ROOT}/${namespace}/${name}`, `${ROOT}/${name}`] : [`${ROOT}/${namespace}/${name}`];

/** A report of a device that is not online tells that it is now: not what these tables are about. */
async function sayOnline(client: Client, exchanges: readonly Exchange[]): Promise<void> {
  for (const [place, { publish, isUnknown }] of exchanges.entries()) {
    if (isUnknown === true || publish[0] === 'state/update') continue;
    const devices = PROGRAMS.flatMap((program) => WAYS.map((way) => deviceOf(place, program, way)));
    await Promise.all(devices.map(({ address }) => client.publish(`${address}/state/update`, '{"state":"online"}')));
  }
}

/** Answers come in order: once this one is there, all before it are. */
async function settled(client: Client, device: TestedDevice, mark: 'begin' | 'end'): Promise<void> {
  await client.publish(`${device.address}/twin/get`, JSON.stringify({ event_id: mark }));
  const forms = formsOf(device);
  const isMark = (form: string) => (message: Pick<HeardMessage, 'topic' | 'payload'>) =>
    message.topic === `${form}/twin/get/result` && message.payload.startsWith(`{"event_id":"${mark}"`);
  await waitUntil(`${mark} of ${device.name}`, () => forms.every((form) => client.heard().some(isMark(form))));
}

function answersOn(client: Client, form: string, device: TestedDevice): readonly (readonly [string, string])[] {
  const all = client.heard().filter(({ topic }) => topic.startsWith(`${form}/`) && !/\/(update|get)$/.test(topic));
  const place = (mark: string): number => all.findIndex(({ payload }) => payload.startsWith(`{"event_id":"${mark}"`));
  return all
    .slice(place('begin') + 1, place('end'))
    .map(({ topic, payload }) => [topic.slice(form.length + 1), unvarying(payload, device)] as const);
}

const unvarying = (payload: string, { namespace, name }: TestedDevice): string =>
  payload
    .replaceAll(/"timestamp":\d{13}/g, '"timestamp":TIME')
    .replaceAll(/"lastOnlineTime":"[^"]*Z"/g, '"lastOnlineTime":"TIME"')
    .replaceAll(/"event_id":"[\da-f]{8}-[\da-f-]{27}"/g, '"event_id":"UUID"')
    .replaceAll(`${namespace}/${name}`, 'DEVICE')
    .replaceAll(name, 'NAME');

// Words of the tables.

/** A value with its time. */
export const value = (text: string): string => `{"value":${JSON.stringify(text)},"metadata":{"timestamp":TIME}}`;

/** A property as it is answered. */
export function twin(
  parts: { readonly expected?: string; readonly actual?: string; readonly optional?: boolean },
  type = 'string',
): string {
  const { expected, actual, optional = true } = parts;
  return (
    `{${expected === undefined ? '' : `"expected":${value(expected)},`}${actual === undefined ? '' : `"actual":${value(actual)},`}` +
    `"optional":${String(optional)},"metadata":{"type":"${type}"}}`
  );
}

const object = (fields: Readonly<Record<string, string>>): string =>
  `{${Object.entries(fields)
    .map(([name, text]) => `"${name}":${text}`)
    .join(',')}}`;

type Fields = Readonly<Record<string, string>>;

export const result = (eventId: string, fields: Fields): readonly [string, string] => [
  'twin/update/result',
  `{"event_id":"${eventId}","timestamp":TIME,"twin":${object(fields)}}`,
];

/** `[last, current]` of each property. */
export const document = (
  eventId: string,
  fields: Readonly<Record<string, readonly [string, string]>>,
): readonly [string, string] => {
  const changes = Object.entries(fields).map(([name, [last, current]]) => [
    name,
    `{"last":${last},"current":${current}}`,
  ]);
  return [
    'twin/update/document',
    `{"event_id":"${eventId}","timestamp":TIME,"twin":${object(Object.fromEntries(changes) as Fields)}}`,
  ];
};

export const delta = (fields: Fields, differing: Readonly<Record<string, string>>): readonly [string, string] => [
  'twin/update/delta',
  `{"event_id":"UUID","timestamp":TIME,"twin":${object(fields)},"delta":${JSON.stringify(differing)}}`,
];

export const read = (eventId: string, fields: Fields): readonly [string, string] => [
  'twin/get/result',
  `{"event_id":"${eventId}","timestamp":TIME,"twin":${object(fields)}}`,
];

export const error = (
  answer: string,
  eventId: string,
  { code, reason }: { readonly code: 400 | 404; readonly reason: string },
): readonly [string, string] => [
  `${answer}/result`,
  `{"event_id":"${eventId}","timestamp":TIME,"code":${code},"reason":${JSON.stringify(reason)}}`,
];
