// A hub in a process of its own, for tests that kill it: argv[2] is the data dir of the world, argv[3] the kubeconfig.
// Says one line of JSON when it has started.
import { createHub } from '../../../src/cloud/hub.ts';
import { hubConfig, testLogger } from './running-hub.ts';

const [dir = '', kubeconfig = ''] = process.argv.slice(2);
const hub = createHub(hubConfig(dir, kubeconfig), { logger: testLogger });
await hub.start(new AbortController().signal);
process.stdout.write(`${JSON.stringify({ nats: hub.addresses.nats, natsServerPid: hub.natsServerPid })}\n`);
