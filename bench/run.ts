// Every figure that Skerry states, measured in one run: `npm run bench`, after `npm run build`.
import { cpus, totalmem } from 'node:os';
import { benchEdgeProcess } from './edge-process.ts';
import { benchPuback } from './puback.ts';
import { benchSaturatedIngress } from './saturated-ingress.ts';

const processor = cpus()[0]?.model ?? 'unknown processor';
console.log(`${cpus().length} cores (${processor}), ${Math.round(totalmem() / 2 ** 30)} GiB, Node ${process.version}`);
await benchSaturatedIngress();
await benchEdgeProcess();
await benchPuback();
