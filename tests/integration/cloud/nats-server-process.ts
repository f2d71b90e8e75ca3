// A managed nats-server in a process of its own, for a test that kills the owner: argv[2] is the data dir.
import { ManagedNatsServer } from '../../../src/cloud/nats-server/managed-nats-server.ts';
import { AccountClaims } from '../../../src/cloud/nats-server/account-claims.ts';
import { Authority } from '../../../src/cloud/authority/authority.ts';
import { systemClock } from '../../../src/kit/clock.ts';
import { silentLogger } from '../../../src/kit/logger.ts';

const dataDir = process.argv[2] ?? '';
const authority = await Authority.open(dataDir, { clock: systemClock, logger: silentLogger });
const claims = new AccountClaims(
  { dataDir },
  { logger: silentLogger, authority: () => authority, serverUrl: () => server.url },
);
const server: ManagedNatsServer = new ManagedNatsServer(
  { dataDir, host: '127.0.0.1', port: 0, portAskedFor: true },
  {
    logger: silentLogger,
    operator: () => claims.operator(),
    certificate: (hosts) => authority.issueCertificate({ hosts, commonName: 'nats' }),
  },
);
await server.start(new AbortController().signal);
process.stdout.write(JSON.stringify({ pid: server.pid, url: server.url }));
