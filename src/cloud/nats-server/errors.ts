import { errorTable } from '../../kit/errors.ts';

export const natsServerErrors = errorTable({
  NATS_SERVER_MISSING: {
    kind: 'refused',
    message: () =>
      'no nats-server was found in PATH; install one: "systemctl mask nats-server && apt-get install nats-server" (masked first, ' +
      'because the Debian package starts a server of its own on port 4222), or name a running one with --nats URL',
  },
  NATS_SERVER_TOO_OLD: {
    kind: 'refused',
    message: ({ found, wanted }: { found: string; wanted: string }) =>
      `the nats-server in PATH is ${found}; Skerry needs ${wanted} or newer`,
  },
  NATS_PORT_IN_USE: {
    kind: 'refused',
    message: ({ host, port }: { host: string; port: number }) =>
      `${host}:${port} is in use by another program; stop it, or choose another address with --nats-listen (port 0: any free one)`,
  },
  NATS_SERVER_NOT_READY: {
    kind: 'unavailable',
    message: ({ log, reason }: { log: string; reason: string }) =>
      `nats-server did not start: ${reason}; its log is ${log}`,
  },
});
