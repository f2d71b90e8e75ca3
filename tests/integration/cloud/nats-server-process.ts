// A managed nats-server in a process of its own, for a test that kills the owner: argv[2] is the data dir.
import { ManagedNatsServer } from '../../../src/cloud/nats-server/managed-nats-server.ts';
import { silentLogger } from '../../../src/kit/logger.ts';

const server = new ManagedNatsServer(
  { dataDir: process.argv[2] ?? '', host: '127.0.0.1', port: 0, portAskedFor: true },
  { logger: silentLogger, nodeUsers: () => Promise.resolve([]) },
);
await server.start(new AbortController().signal);
process.stdout.write(JSON.stringify({ pid: server.pid, url: server.url }));
