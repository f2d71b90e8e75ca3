// Run as a process of its own by tests that end it: `node api-process.js <data directory> [<port>]`.
import { createLogger } from '../../../src/kit/logger.ts';
import { createKubeApi } from '../../../src/kube-api/kube-api.ts';

const [, , dataDir = '', port = '0'] = process.argv;
const api = createKubeApi({ dataDir, host: '127.0.0.1', port: Number(port) }, { logger: createLogger('warn') });
await api.start(new AbortController().signal);
console.log(api.url);
