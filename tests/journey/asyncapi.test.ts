// Everything that a real edge node and a real hub say to anybody, on MQTT and on NATS, is on a channel of the AsyncAPI document and
// what its schemas say. The site is driven through what it can say; what was heard of a channel is counted at the end, so that a
// channel that nobody spoke on is noticed.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { connectAsync, type MqttClient } from 'mqtt';
import { connectionOptions } from '../../src/nats/connection-options.ts';
import { connect, type NatsConnection } from 'nats';
import { AsyncApiChecker, readAsyncApi, type Road, type Said } from '../support/asyncapi.ts';
import { Kubectl } from '../support/kubectl.ts';
import { SmallSite } from '../support/small-site.ts';
import { waitUntil } from '../support/wait-until.ts';

const checker = new AsyncApiChecker();

interface Heard extends Said {
  readonly road: Road;
  /** Published here to be refused: what a client says wrong need not be in the document. */
  readonly isOurs: boolean;
}

/** Marks payloads that are wrong by intent. */
const WRONG = 'wrong-by-intent';

class Witness {
  readonly heard: Heard[] = [];

  async hearMqtt(url: string): Promise<MqttClient> {
    const client = await connectAsync(url, { clientId: 'witness', reconnectPeriod: 50 });
    client.on('message', (address, payload) => {
      this.heard.push({ road: 'mqtt', address, payload, isOurs: payload.includes(WRONG) && isRequest(address) });
    });
    await client.subscribeAsync(['#', '$hw/#', '$ke/#', '$skerry/#'], { qos: 1 });
    return client;
  }

  hearNats(nats: NatsConnection): void {
    for (const subject of ['skerry.>', '$KV.>'])
      nats.subscribe(subject, {
        callback: (_, { subject: address, data, headers }) => {
          const named = Object.fromEntries((headers?.keys() ?? []).map((name) => [name, headers?.get(name) ?? '']));
          this.heard.push({ road: 'nats', address, payload: data, headers: named, isOurs: isPoison(data) });
        },
      });
  }

  on(channel: string): readonly Heard[] {
    return this.heard.filter(({ road, address }) => checker.channelsOf(road, address).includes(channel));
  }

  /** Resolves when something was said on the channel that holds the text. */
  async until(channel: string, text = ''): Promise<void> {
    const isThere = (): boolean => this.on(channel).some(({ payload }) => Buffer.from(payload).includes(text));
    await waitUntil(`${text} on ${channel}`, isThere, 20_000);
  }
}

const isRequest = (address: string): boolean => /\/(update|get)$/.test(address);
const isPoison = (data: Uint8Array): boolean => Buffer.from(data).equals(Buffer.from(WRONG));

const MODEL = `
apiVersion: devices.kubeedge.io/v1beta1
kind: DeviceModel
metadata: { name: boilers }
spec:
  properties:
    - { name: count, type: INT, accessMode: ReadOnly, minimum: '0', unit: pieces }
    - { name: status, type: STRING, accessMode: ReadWrite }
    - { name: setting, type: JSON, accessMode: ReadWrite }
    - { name: noise, type: FLOAT, accessMode: ReadOnly, keep: sampled(1s), class: telemetry }
`;
const device = (name: string, namespace: string): string => `---
apiVersion: devices.kubeedge.io/v1beta1
kind: Device
metadata: { name: ${name}, namespace: ${namespace}, labels: { description: the-second-floor } }
spec:
  deviceModelRef: { name: boilers }
  nodeName: site
  protocol: { protocolName: modbus, configData: { ip: 10.0.0.7 } }
  properties:
    - { name: status, desired: { value: 'OFF' }, collectCycle: 1000, visitors: { protocolName: modbus, configData: { register: 7 } } }
`;

let site: SmallSite;
let kubectl: Kubectl;
let nats: NatsConnection;
let client: MqttClient;
const witness = new Witness();
const clients: MqttClient[] = [];

before(async () => {
  site = await SmallSite.start([]);
  kubectl = new Kubectl(site.kubeconfig);
  nats = await connect({ ...connectionOptions(await site.natsAccess(), undefined), inboxPrefix: '_INBOX_hub' });
  witness.hearNats(nats);
  clients.push(await witness.hearMqtt(site.mqttUrl));
  client = await connectAsync(site.mqttUrl, { clientId: 'tool' });
  clients.push(client);
});

after(async () => {
  for (const one of clients) await one.endAsync(true);
  await nats.close();
  await site[Symbol.asyncDispose]();
});

const say = async (topic: string, payload: unknown, options: { retain?: boolean } = {}): Promise<void> => {
  const text = typeof payload === 'string' ? payload : JSON.stringify(payload);
  await client.publishAsync(topic, text, { qos: 1, ...options });
};
const DEVICE = '$hw/events/device';
const apply = async (manifests: string): Promise<void> => {
  const { code, stderr } = await kubectl.apply(manifests);
  assert.equal(code, 0, stderr);
};

/** What this site says, besides what it was told to say. */
async function definitions(): Promise<void> {
  const { code, stderr } = await kubectl.run(['create', 'namespace', 'plant']);
  assert.equal(code, 0, stderr);
  await apply(
    `${MODEL}---${MODEL.replace('name: boilers', 'name: boilers, namespace: plant')}${device('boiler', 'default')}${device('pump', 'plant')}`,
  );
  for (const name of ['boiler', 'pump']) await witness.until('mapper', name);
  await witness.until('membershipUpdated', 'pump');
}

async function twins(): Promise<void> {
  for (const address of ['boiler', 'default/boiler', 'plant/pump']) {
    const twin = {
      count: { actual: { value: 7, metadata: { timestamp: 1767225604000 } } },
      noise: { actual: { value: 1.5 } },
    };
    await say(`${DEVICE}/${address}/twin/update`, { event_id: `a ${address}`, timestamp: 1767225604000, twin });
    await say(`${DEVICE}/${address}/twin/update`, {
      event_id: `b ${address}`,
      twin: {
        status: { expected: { value: 'OFF' }, actual: { value: 'ON' } },
        setting: { expected: { value: { high: [1] } } },
        label: { actual: { value: 'north' }, optional: true, metadata: { type: 'string' } },
      },
    });
    await say(`${DEVICE}/${address}/twin/update`, { event_id: `c ${address}`, twin: { label: null } });
    await say(`${DEVICE}/${address}/twin/get`, { event_id: `d ${address}` });
    await say(`${DEVICE}/${address}/twin/get`, '');
    await say(`${DEVICE}/${address}/state/update`, { event_id: `e ${address}`, state: 'online' });
    await witness.until('twinGetResult', `d ${address}`);
    await say(`${DEVICE}/${address}/twin/update`, {
      event_id: `f ${address}`,
      twin: { status: { expected: { value: 'ON' } } },
    });
    await say(`${DEVICE}/${address}/twin/update`, {
      event_id: `g ${address}`,
      twin: { status: { expected: { value: 'OFF' } } },
    });
  }
  await say('$hw/events/node/site/membership/get', { event_id: 'm' });
  await say('$hw/events/node/site/membership/get', '');
}

async function refusals(): Promise<void> {
  await say(`${DEVICE}/boiler/twin/update`, WRONG);
  await say(`${DEVICE}/boiler/twin/update`, { event_id: WRONG, twin: { count: { actual: { value: 'many' } } } });
  await say(`${DEVICE}/nobody/twin/get`, { event_id: WRONG });
  await say(`${DEVICE}/plant/pump/state/update`, { event_id: WRONG, state: 'happy' });
  await say('$hw/events/node/another/membership/get', { event_id: WRONG });
  await client.publishAsync(`${DEVICE}/boiler/state/update`, Buffer.from([0xff, ...Buffer.from(WRONG)]), { qos: 1 });
}

async function uploads(): Promise<void> {
  const ways = ['device/boiler', 'device/plant/pump', 'boiler/device', 'plant/pump/device'];
  for (const way of ways) await say(`$ke/events/${way}/data/update`, { temperature: 64.5 });
  for (const topic of ['$hw/events/upload', '$hw/events/upload/a/b', 'SYS/dis/upload_records', 'line 4/user/alarm'])
    await client.publishAsync(topic, Buffer.from([0, 1, 255]), { qos: 1 });
  await say('plant/user/x', 'no JSON');
  await witness.until('messages', 'plant/user/x');
}

/** A client that is the device is lost; the state goes to the cloud as a fact, and the whole twin once after each claim. */
async function comingAndGoing(): Promise<void> {
  const own = await connectAsync(site.mqttUrl, { clientId: 'boiler' });
  own.stream.destroy();
  await own.endAsync(true);
  await witness.until('eventFacts', 'client-gone');
  await site.edge.kill();
  await site.startEdge();
  await witness.until('claim');
  await witness.until('state', 'io.skerry.twin.override.v1');
}

async function poison(): Promise<void> {
  await nats.jetstream().publish('skerry.site.up.twin.default.boiler', WRONG);
  await witness.until('poison');
}

async function leaving(): Promise<void> {
  await kubectl.run(['delete', 'device', 'pump', '-n', 'plant']);
  await waitUntil('the device to leave', () =>
    witness.on('membershipUpdated').some(({ payload }) => Buffer.from(payload).includes('"removed_devices":[')),
  );
  await witness.until('heartbeat');
}

test('what a real edge node and hub say is on a channel of the document, and what its schemas say', async () => {
  await definitions();
  await twins();
  await refusals();
  await uploads();
  await witness.until('eventFacts', 'io.skerry.device.rejected.v1');
  await comingAndGoing();
  await poison();
  await leaving();

  const checked = witness.heard.filter(({ isOurs }) => !isOurs);
  const problems = checked.flatMap((said) =>
    checker
      .problems(said.road, said)
      .map((problem) => `${said.address} ${Buffer.from(said.payload).toString().slice(0, 600)}\n  ${problem}`),
  );
  assert.deepEqual([...new Set(problems)].slice(0, 10), []);
});

test('every channel of the document was spoken on', () => {
  const silent = Object.keys(readAsyncApi().channels).filter((name) => witness.on(name).length === 0);

  assert.deepEqual(silent, []);
});

test('a field that is spelled otherwise in what was heard would have been told', () => {
  const isObject = ({ payload }: Heard): boolean => /^(\{|\[\{)/.test(Buffer.from(payload).toString());
  const strict = witness.heard.filter((said) => !said.isOurs && isObject(said) && !isAnything(said));
  assert.ok(strict.length > 50, `only ${strict.length} messages were heard`);

  for (const said of strict) {
    const payload = Buffer.from(
      Buffer.from(said.payload)
        .toString()
        .replace(/"([a-zA-Z_]+)":/, '"$1x":'),
    );

    assert.notDeepEqual(checker.problems(said.road, { ...said, payload }), [], `${said.address} ${payload.toString()}`);
  }
});

/** What clients publish there may be whatever they like. */
const isAnything = ({ road, address }: Heard): boolean =>
  checker
    .channelsOf(road, address)
    .some((name) => /^(data|upload|user|poison)/.test(name) && !name.endsWith('Messages'));
