// What a device waits for: PUBLISH to PUBACK over TCP against an edge process from the bundle that is linked to a hub, beside a
// synced write of the same bytes at the same pace by nobody but LevelDB; then as many as it takes, and its memory.
import { connectAsync, type MqttClient } from 'mqtt';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ClassicLevel } from 'classic-level';
import { SmallSite } from '../../tests/support/small-site.ts';
import { residentMegabytes } from '../edge-process.ts';
import { p50p99, perSecond, printRows, type Row } from '../table.ts';
import { atPace, devicesNamed, nextReport, pubackTimes, topicOf } from './load.ts';

const DEVICES = [1, 100, 1000];
const RATE = 1000;
const PACED_MS = 15_000;
const SATURATED_MS = 10_000;
const CONNECTIONS = 10;
const IN_FLIGHT_EACH = 100;
/** What the store writes for one update (printed by the gate's table). */
const BYTES_PER_UPDATE = 350;

export async function benchPuback(): Promise<void> {
  const rows: Row[] = [];
  const raw = await rawCommitTimes();
  for (const count of DEVICES) {
    const devices = devicesNamed(count);
    await using site = await SmallSite.start(devices);
    const client = await connectAsync(site.mqttUrl);
    const times = await pubackTimes(client, devices, { rate: RATE, lasting: PACED_MS });
    await client.endAsync();
    rows.push({
      what: `PUBLISH to PUBACK, ${count} ${count === 1 ? 'device' : 'devices'}, ${RATE}/s`,
      figure: p50p99(times),
      beside: `raw: a synced LevelDB write of ${BYTES_PER_UPDATE} bytes at the same pace ${p50p99(raw)}`,
    });
    if (count === 100) rows.push(await saturated(site, devices), await memoryUnderLoad(site, devices));
  }
  printRows('Over MQTT, QoS 1, linked to a hub on the same machine', rows);
}

/** Group commit as anybody would write it: what arrives while a write is being synced shares the next one. */
async function rawCommitTimes(): Promise<readonly number[]> {
  const dir = await mkdtemp(join(tmpdir(), 'skerry-bench-raw-'));
  const level = new ClassicLevel(join(dir, 'store'));
  await level.open();
  const value = 'x'.repeat(BYTES_PER_UPDATE);
  const times: number[] = [];
  let waiting: number[] = [];
  let writing: Promise<void> | undefined;
  const writeAll = async (): Promise<void> => {
    while (waiting.length > 0) {
      const group = waiting;
      waiting = [];
      const batch = level.batch();
      for (const begun of group) batch.put(`k${begun}`, value);
      await batch.write({ sync: true });
      for (const begun of group) times.push(performance.now() - begun);
    }
    writing = undefined;
  };
  await atPace(RATE, { lasting: PACED_MS }, () => {
    waiting.push(performance.now());
    writing ??= writeAll();
  });
  await writing;
  await level.close();
  await rm(dir, { recursive: true });
  return times;
}

async function saturated(site: SmallSite, devices: readonly string[]): Promise<Row> {
  const clients = await Promise.all(Array.from({ length: CONNECTIONS }, () => connectAsync(site.mqttUrl)));
  const until = performance.now() + SATURATED_MS;
  let done = 0;
  const publish = async (client: MqttClient, lane: number): Promise<void> => {
    while (performance.now() < until) {
      await client.publishAsync(topicOf(devices[lane % devices.length] ?? ''), nextReport().payload, { qos: 1 });
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
  const beside = `${CONNECTIONS} connections with ${IN_FLIGHT_EACH} in flight; generator, NATS and hub share the cores`;
  return { what: `acknowledged/s, saturated, 100 devices`, figure: perSecond(done, elapsed).toString(), beside };
}

async function memoryUnderLoad(site: SmallSite, devices: readonly string[]): Promise<Row> {
  const client = await connectAsync(site.mqttUrl);
  let most = 0;
  const sampling = setInterval(
    () => void residentMegabytes(site.edge.pid).then((now) => (most = Math.max(most, now))),
    500,
  );
  await atPace(300, { lasting: 20_000 }, (turn) =>
    client.publish(topicOf(devices[turn % devices.length] ?? ''), nextReport().payload, { qos: 1 }),
  );
  clearInterval(sampling);
  await client.endAsync();
  return {
    what: 'resident memory of the edge process at 300 updates/s',
    figure: `at most ${most.toFixed(0)} MB`,
    beside: 'after the saturated run above, in the same process',
  };
}
