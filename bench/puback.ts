// What a device waits for: PUBLISH to PUBACK, and to the result, over TCP against an edge process from the bundle that is linked
// to a hub; then as many as it takes, and its memory under 300 updates a second.
import { connectAsync, type MqttClient } from 'mqtt';
import { setTimeout as delay } from 'node:timers/promises';
import { SmallSite } from '../tests/support/small-site.ts';
import { residentMegabytes } from './edge-process.ts';
import { percentile, perSecond, printRows, type Row } from './table.ts';

const DEVICES = 100;
const PACED_PER_SECOND = 1000;
const PACED_SECONDS = 15;
const SATURATED_SECONDS = 10;
const CONNECTIONS = 10;
const IN_FLIGHT_EACH = 100;

export async function benchPuback(): Promise<void> {
  const devices = Array.from({ length: DEVICES }, (_, place) => `bench-${place}`);
  await using site = await SmallSite.start(devices);
  const rows = [...(await paced(site, devices)), await saturated(site, devices), await memoryUnderLoad(site, devices)];
  printRows(`Over MQTT, QoS 1, ${DEVICES} devices, linked to a hub on the same machine`, rows);
}

let number = 0;

function payload(): string {
  number += 1;
  return `{"event_id":"n-${number}","timestamp":0,"twin":{"number":{"actual":{"value":"${number}"}}}}`;
}

async function paced(site: SmallSite, devices: readonly string[]): Promise<readonly Row[]> {
  const client = await connectAsync(site.mqttUrl);
  const acknowledged: number[] = [];
  const answered: number[] = [];
  const sentAt = new Map<string, number>();
  await client.subscribeAsync('$hw/events/device/+/+/twin/update/result');
  client.on('message', (_topic, message) => {
    const id = /"event_id":"([^"]+)"/.exec(message.toString())?.[1] ?? '';
    answered.push(performance.now() - (sentAt.get(id) ?? Number.NaN));
  });
  const publish = (device: string): void => {
    const text = payload();
    const begun = performance.now();
    sentAt.set(`n-${number}`, begun);
    client.publish(topicOf(device), text, { qos: 1 }, () => acknowledged.push(performance.now() - begun));
  };
  await atPace(PACED_PER_SECOND, PACED_SECONDS, (turn) => publish(devices[turn % devices.length] ?? ''));
  await client.endAsync();
  const figure = (samples: readonly number[]): string =>
    `p50 ${percentile(samples, 0.5).toFixed(2)} ms, p99 ${percentile(samples, 0.99).toFixed(2)} ms`;
  const beside = `${PACED_PER_SECOND}/s for ${PACED_SECONDS} s, ${acknowledged.length} samples; the load generator shares the machine`;
  return [
    { what: 'PUBLISH to PUBACK', figure: figure(acknowledged), beside },
    { what: 'PUBLISH to twin/update/result', figure: figure(answered), beside: 'the same publications' },
  ];
}

async function saturated(site: SmallSite, devices: readonly string[]): Promise<Row> {
  const clients = await Promise.all(Array.from({ length: CONNECTIONS }, () => connectAsync(site.mqttUrl)));
  const until = performance.now() + SATURATED_SECONDS * 1000;
  let done = 0;
  const publish = async (client: MqttClient, lane: number): Promise<void> => {
    while (performance.now() < until) {
      await client.publishAsync(topicOf(devices[lane % devices.length] ?? ''), payload(), { qos: 1 });
      done += 1;
    }
  };
  const begun = performance.now();
  await Promise.all(
    clients.flatMap((client, place) =>
      Array.from({ length: IN_FLIGHT_EACH }, (_, lane) => publish(client, place * IN_FLIGHT_EACH + lane)),
    ),
  );
  const elapsed = performance.now() - begun;
  await Promise.all(clients.map((client) => client.endAsync()));
  const beside = `${CONNECTIONS} connections with ${IN_FLIGHT_EACH} in flight; generator, NATS and hub share the two cores`;
  return { what: 'durable updates acknowledged/s, saturated', figure: perSecond(done, elapsed).toString(), beside };
}

async function memoryUnderLoad(site: SmallSite, devices: readonly string[]): Promise<Row> {
  const client = await connectAsync(site.mqttUrl);
  let most = 0;
  const sampling = setInterval(
    () => void residentMegabytes(site.edge.pid).then((now) => (most = Math.max(most, now))),
    500,
  );
  await atPace(300, 20, (turn) => client.publish(topicOf(devices[turn % devices.length] ?? ''), payload(), { qos: 1 }));
  clearInterval(sampling);
  await client.endAsync();
  return {
    what: 'resident memory of the edge process at 300 updates/s',
    figure: `at most ${most.toFixed(0)} MB`,
    beside: 'after the saturated run above, in the same process',
  };
}

async function atPace(rate: number, seconds: number, act: (turn: number) => void): Promise<void> {
  const begun = performance.now();
  for (let turn = 0; turn < rate * seconds;) {
    const due = Math.floor(((performance.now() - begun) * rate) / 1000);
    for (; turn <= due && turn < rate * seconds; turn += 1) act(turn);
    await delay(1);
  }
  await delay(200);
}

const topicOf = (device: string): string => `$hw/events/device/default/${device}/twin/update`;
