import { errorTable } from '../kit/errors.ts';

export const hubErrors = errorTable({
  HUB_DATA_DIR_IN_USE: {
    kind: 'refused',
    message: ({ dir, pid }: { dir: string; pid: number }) =>
      `the data dir ${dir} is in use by the hub with process id ${pid}; stop that one, or give another --data-dir`,
  },
});
