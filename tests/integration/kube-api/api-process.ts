// Run as a process of its own by durability.test.ts: `node api-process.js <data directory>`.
import { createLogger } from '../../../src/kit/logger.ts';
import { createKubeApi } from '../../../src/kube-api/kube-api.ts';

const [, , dataDir = ''] = process.argv;
const api = createKubeApi({ dataDir, host: '127.0.0.1', port: 0 }, { logger: createLogger('warn') });
await api.start(new AbortController().signal);
console.log(api.url);
