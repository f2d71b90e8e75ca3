// G8: a slow, full or silent link never delays a local answer. PUBLISH to PUBACK with the cable to the cloud whole, with five of a
// hundred packets lost each way, with the cable cut, and whole again.
import { connectAsync } from 'mqtt';
import { SmallSite } from '../../tests/support/small-site.ts';
import { p50p99, printRows, type Row } from '../table.ts';
import { devicesNamed, pubackTimes } from './load.ts';
import { TwoNamespaces } from './two-namespaces.ts';

const DEVICES = 100;
const RATE = 1000;
const LASTING = 15_000;
const PHASES = [
  { what: 'cable whole', loss: 0 },
  { what: '5 % of packets lost each way', loss: 0.05 },
  { what: 'cable cut', loss: 1 },
  { what: 'cable whole again, the backlog on its way', loss: 0 },
];

export async function benchLossyLink(): Promise<void> {
  using network = new TwoNamespaces();
  const devices = devicesNamed(DEVICES);
  const { cloud, edge, addresses } = network;
  await using site = await SmallSite.start(devices, {
    hub: {
      prefix: TwoNamespaces.inside(cloud),
      api: addresses.cloud,
      nats: addresses.cloudFromEdge,
      http: addresses.cloud,
    },
    edge: { prefix: TwoNamespaces.inside(edge), mqtt: addresses.edge, http: addresses.edge },
  });
  const client = await connectAsync(site.mqttUrl);
  const rows: Row[] = [];
  for (const { what, loss } of PHASES) {
    network.lose(loss);
    const times = await pubackTimes(client, devices, { rate: RATE, lasting: LASTING });
    rows.push({
      what: `PUBLISH to PUBACK, ${what}`,
      figure: p50p99(times),
      beside: `${RATE}/s over ${DEVICES} devices`,
    });
  }
  await client.endAsync();
  printRows('The cloud in another network namespace', rows);
}
