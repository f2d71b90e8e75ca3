import { errorTable } from '../../kit/errors.ts';

export const adminErrors = errorTable({
  HUB_HTTP_PORT_IN_USE: {
    kind: 'refused',
    message: ({ host, port }: { host: string; port: number }) =>
      `${host}:${port} is in use by another program; stop it, or choose another address with --http (port 0: any free one)`,
  },
});
