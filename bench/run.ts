// Every figure that Skerry states, measured in one run: `npm run bench`, after `npm run build`.
import { benchEdgeProcess } from './edge-process.ts';

await benchEdgeProcess();
await import('./replication/run.ts');
await import('./broker/run.ts');
