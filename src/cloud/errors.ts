import { errorTable } from '../kit/errors.ts';

export const hubErrors = errorTable({
  AUTHORITY_MISSING: {
    kind: 'refused',
    message: ({ dataDir }: { dataDir: string }) =>
      `no hub has run in ${dataDir}, so that nobody is vouched for there; start one, or name its folder with --data-dir`,
  },
  NATS_USER_INVALID: {
    kind: 'refused',
    message: ({ problem }: { problem: string }) =>
      `${problem}; a user is called in lower case letters, digits and dashes, and hears subjects such as skerry.*.up.>`,
  },
  NATS_USER_EXISTS: {
    kind: 'refused',
    message: ({ name }: { name: string }) =>
      `there is a NATS user ${name}; skerry nats-user remove ${name} first, or take another name`,
  },
  NATS_USER_UNKNOWN: {
    kind: 'refused',
    message: ({ name }: { name: string }) => `there is no NATS user ${name}; skerry nats-user list shows who there is`,
  },
  HUB_DATA_DIR_IN_USE: {
    kind: 'refused',
    message: ({ dir, pid }: { dir: string; pid: number }) =>
      `the data dir ${dir} is in use by the hub with process id ${pid}; stop that one, or give another --data-dir`,
  },
});
