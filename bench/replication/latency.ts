// How long a value takes: from a device's PUBLISH to a line of `kubectl get -w`, and from a patch in Kubernetes to the delta over
// MQTT; with nothing else going on, and beside the reports of a hundred other devices.
import { connectAsync, type MqttClient } from 'mqtt';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { KubeClient, MERGE_PATCH } from '../../src/cloud/kubernetes/kube-client.ts';
import { Kubectl } from '../../tests/support/kubectl.ts';
import { SmallSite } from '../../tests/support/small-site.ts';
import { p50p99, printRows, type Row } from '../table.ts';
import { atPace, devicesNamed, nextReport, topicOf } from './load.ts';

const PROBE = 'probe';
const RATES = [0, 100, 1000];
const SAMPLES = 50;
/** Longer than the hub's write interval per device, so that a sample never waits for its predecessor's. */
const BETWEEN_REPORTS = 1100;
const BETWEEN_PATCHES = 100;
const LONGEST_MS = 600_000;
/** reference figures of the peer, p50/p99. */
const PEER = { up: 'KubeEdge, measured at rest: 9.5/18.6 ms', down: 'KubeEdge, measured at rest: 20/45 ms' };

export async function benchLatency(): Promise<void> {
  const devices = devicesNamed(100);
  await using site = await SmallSite.start([...devices, PROBE]);
  const client = await connectAsync(site.mqttUrl);
  const load = await connectAsync(site.mqttUrl);
  const rows: Row[] = [];
  for (const rate of RATES) {
    const ending = new AbortController();
    const loading = atPace(rate, { lasting: LONGEST_MS, until: ending.signal }, (turn) =>
      load.publish(topicOf(devices[turn % devices.length] ?? ''), nextReport().payload, { qos: 1 }),
    );
    const beside = rate === 0 ? 'at rest' : `beside ${rate} reports/s of 100 devices`;
    rows.push({
      what: `PUBLISH to a line of \`kubectl get -w\`, ${beside}`,
      figure: p50p99(await upTimes(site, client)),
      beside: PEER.up,
    });
    rows.push({
      what: `PATCH to delta over MQTT, ${beside}`,
      figure: p50p99(await downTimes(site, client)),
      beside: PEER.down,
    });
    ending.abort();
    await loading;
  }
  await client.endAsync();
  await load.endAsync();
  printRows('How long a value takes', rows);
}

async function upTimes(site: SmallSite, client: MqttClient): Promise<readonly number[]> {
  const jsonPath = 'jsonpath={.status.twins[0].reported.value}{"\\n"}';
  const watching = new Kubectl(site.kubeconfig).follow(['get', 'device', PROBE, '-w', '-o', jsonPath]);
  const awaited = new Map<string, () => void>();
  createInterface({ input: watching.stdout as NodeJS.ReadableStream }).on('line', (line) => awaited.get(line)?.());
  const times: number[] = [];
  // The first ones wait for kubectl to have begun.
  for (let sample = -3; sample < SAMPLES; sample += 1) {
    const { number, payload } = nextReport();
    const shown = new Promise<void>((resolve) => awaited.set(String(number), resolve));
    const begun = performance.now();
    client.publish(topicOf(PROBE), payload, { qos: 1 });
    await (sample < 0 ? Promise.race([shown, delay(2000)]) : shown);
    if (sample >= 0) times.push(performance.now() - begun);
    await delay(BETWEEN_REPORTS);
  }
  watching.kill();
  return times;
}

/** The request that `kubectl patch --type merge` sends, timed without the start of a kubectl. */
async function downTimes(site: SmallSite, client: MqttClient): Promise<readonly number[]> {
  const kube = KubeClient.fromFile(site.kubeconfig);
  const awaited = new Map<string, () => void>();
  const hear = (_topic: string, message: Buffer): void =>
    awaited.get(/"number":"(\d+)"/.exec(message.toString())?.[1] ?? '')?.();
  client.on('message', hear);
  await client.subscribeAsync(topicOf(PROBE, 'twin/update/delta'));
  const path = `/apis/devices.kubeedge.io/v1beta1/namespaces/default/devices/${PROBE}`;
  const times: number[] = [];
  for (let sample = 0; sample < SAMPLES; sample += 1) {
    const { number } = nextReport();
    const visitors = { protocolName: 'virtualProtocol', configData: {} };
    const properties = [{ name: 'number', visitors, desired: { value: String(number) } }];
    const heard = new Promise<void>((resolve) => awaited.set(String(number), resolve));
    const begun = performance.now();
    await kube.request({ method: 'PATCH', path, contentType: MERGE_PATCH, body: { spec: { properties } } });
    await heard;
    times.push(performance.now() - begun);
    await delay(BETWEEN_PATCHES);
  }
  client.off('message', hear);
  kube.close();
  return times;
}
