// The path from a device to Kubernetes and back, every part beside what a user would pick instead, in one run:
// `npm run bench:replication`, after `npm run build`. A part's name runs that one alone.
import { cpus, totalmem } from 'node:os';
import { benchDrain } from './drain.ts';
import { benchGate } from './gate.ts';
import { benchLatency } from './latency.ts';
import { benchLossyLink } from './lossy-link.ts';
import { benchPuback } from './puback.ts';
import { benchUplink } from './uplink.ts';

const PARTS: Readonly<Record<string, () => Promise<void>>> = {
  gate: benchGate,
  puback: benchPuback,
  uplink: benchUplink,
  drain: benchDrain,
  latency: benchLatency,
  'lossy-link': benchLossyLink,
};

const processor = cpus()[0]?.model ?? 'unknown processor';
console.log(`${cpus().length} cores (${processor}), ${Math.round(totalmem() / 2 ** 30)} GiB, Node ${process.version}`);
const asked = process.argv.slice(2);
for (const name of asked.length > 0 ? asked : Object.keys(PARTS)) {
  const part = PARTS[name];
  if (part === undefined) throw new Error(`there is no part "${name}"; there are ${Object.keys(PARTS).join(', ')}`);
  await part();
}
