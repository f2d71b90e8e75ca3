// After an outage: 100,000 facts of 100 devices wait at the edge. How soon does Kubernetes show the newest value of every device,
// and how soon is the history complete, beside a bare publisher that sends as many messages.
import { connectAsync, type MqttClient } from 'mqtt';
import { connect, createInbox } from 'nats';
import { setTimeout as delay } from 'node:timers/promises';
import type { DeviceResource } from '../../src/cloud/kubernetes/resources.ts';
import { KubeClient } from '../../src/cloud/kubernetes/kube-client.ts';
import { connectionOptions } from '../../src/nats/connection-options.ts';
import { SmallSite } from '../../tests/support/small-site.ts';
import { waitUntil } from '../../tests/support/wait-until.ts';
import { perSecond, printRows, ratio } from '../table.ts';
import { devicesNamed, nextReport, topicOf } from './load.ts';

const DEVICES = 100;
const FACTS = 100_000;
const CONNECTIONS = 10;
const IN_FLIGHT_EACH = 100;
const BARE_IN_FLIGHT = 256;
const PATIENCE_MS = 300_000;

interface EdgeStatus {
  readonly isLinked: boolean;
  readonly backlog: number;
}

export async function benchDrain(): Promise<void> {
  const devices = devicesNamed(DEVICES);
  await using site = await SmallSite.start(devices);
  const status = async (): Promise<EdgeStatus> =>
    (await (await fetch(`${site.edge.text('http')}/status`)).json()) as EdgeStatus;
  const newest = new Map<string, number>();

  const nats = await site.natsServerPid();
  process.kill(nats, 'SIGSTOP');
  try {
    await waitUntil('the edge to notice that nobody answers', async () => !(await status()).isLinked, 20_000);
    await fill(site, devices, newest);
  } finally {
    process.kill(nats, 'SIGCONT');
  }
  await waitUntil('the link', async () => (await status()).isLinked, 20_000);
  const linked = performance.now();
  const shown = untilShown(site, newest).then(() => performance.now() - linked);
  await waitUntil('the outbox to be empty', async () => (await status()).backlog === 0, PATIENCE_MS);
  const drained = performance.now() - linked;
  const newestShown = await shown;
  const bare = await bareTime(site);
  printRows(`After an outage: ${FACTS} facts of ${DEVICES} devices`, [
    {
      what: 'from the link to the newest value of every device in Kubernetes',
      figure: `${(newestShown / 1000).toFixed(2)} s`,
      beside: 'KubeEdge, measured: none of 1,000 updates made offline arrives',
    },
    {
      what: 'from the link to the last fact in the stream',
      figure: `${(drained / 1000).toFixed(2)} s, ${perSecond(FACTS, drained)} facts/s`,
      beside:
        `${ratio(bare, drained)} of a bare publisher of ${FACTS} messages with ${BARE_IN_FLIGHT} in flight, ` +
        `${(bare / 1000).toFixed(2)} s; the hub projects every fact meanwhile`,
    },
  ]);
}

async function fill(site: SmallSite, devices: readonly string[], newest: Map<string, number>): Promise<void> {
  const clients = await Promise.all(Array.from({ length: CONNECTIONS }, () => connectAsync(site.mqttUrl)));
  let sent = 0;
  const publish = async (client: MqttClient): Promise<void> => {
    while (sent < FACTS) {
      const device = devices[(sent += 1) % devices.length] ?? '';
      const { number, payload } = nextReport();
      await client.publishAsync(topicOf(device), payload, { qos: 1 });
      newest.set(device, Math.max(number, newest.get(device) ?? 0));
    }
  };
  await Promise.all(clients.flatMap((client) => Array.from({ length: IN_FLIGHT_EACH }, () => publish(client))));
  await Promise.all(clients.map((client) => client.endAsync()));
}

async function untilShown(site: SmallSite, newest: ReadonlyMap<string, number>): Promise<void> {
  const client = KubeClient.fromFile(site.kubeconfig);
  const path = '/apis/devices.kubeedge.io/v1beta1/namespaces/default/devices';
  const isShown = ({ metadata, status }: DeviceResource): boolean =>
    status?.twins?.some(({ reported }) => Number(reported?.value) >= (newest.get(metadata.name) ?? Infinity)) ?? false;
  for (;;) {
    const { body } = await client.request({ method: 'GET', path });
    if ((body['items'] as readonly DeviceResource[]).every(isShown)) break;
    await delay(50);
  }
  client.close();
}

async function bareTime(site: SmallSite): Promise<number> {
  const connection = await connect(connectionOptions(await site.natsAccess(), undefined));
  const inbox = createInbox();
  const payload = Buffer.alloc(400, 120);
  const begun = performance.now();
  let sent = 0;
  let acknowledged = 0;
  const publish = (): void => {
    if (sent >= FACTS) return;
    sent += 1;
    connection.publish(`skerry.bare.up.twin.default.d${sent % BARE_IN_FLIGHT}`, payload, { reply: `${inbox}.1` });
  };
  connection.subscribe(`${inbox}.*`, {
    callback: () => {
      acknowledged += 1;
      publish();
    },
  });
  for (let lane = 0; lane < BARE_IN_FLIGHT; lane += 1) publish();
  while (acknowledged < FACTS) await delay(2);
  const elapsed = performance.now() - begun;
  await connection.close();
  return elapsed;
}
