import { errorTable } from '../../kit/errors.ts';

export const storeErrors = errorTable({
  STORE_LOCKED: {
    kind: 'refused',
    message: ({ dataDir }: { dataDir: string }) =>
      `the data directory ${dataDir} is in use by another process; stop that one, or give this one its own with --data-dir`,
  },
  STORE_UNREADABLE: {
    kind: 'broken',
    message: ({ dataDir, reason }: { dataDir: string; reason: string }) =>
      `the store in ${dataDir} cannot be opened: ${reason}; see that the disk has space and that the folder may be read and written`,
  },
  STORE_DAMAGED: {
    kind: 'broken',
    message: ({ dataDir, reason }: { dataDir: string; reason: string }) =>
      `the store in ${dataDir} is damaged: ${reason}; "skerry edge repair --data-dir ${dataDir}" keeps it aside and saves what can be read`,
  },
  STORE_MISSING: {
    kind: 'broken',
    message: ({ dataDir, reason }: { dataDir: string; reason: string }) =>
      `${dataDir} has held a store, and ${reason}; put it back, or begin anew with "skerry edge repair --data-dir ${dataDir}"`,
  },
  STORE_NOT_FOUND: {
    kind: 'refused',
    message: ({ dataDir }: { dataDir: string }) =>
      `no edge node has run in ${dataDir}; name its data directory with --data-dir`,
  },
  STORE_NOT_REPAIRED: {
    kind: 'unavailable',
    message: ({ dataDir, reason }: { dataDir: string; reason: string }) =>
      `the store in ${dataDir} could not be repaired and is as it was: ${reason}; the disk must have room for a copy of it`,
  },
  STORE_FORMAT_UNKNOWN: {
    kind: 'refused',
    message: ({ dataDir, found, known }: { dataDir: string; found: number; known: number }) =>
      `the store in ${dataDir} has format ${found}, and this version of skerry knows formats up to ${known}; install the newer skerry`,
  },
  STORE_UNAVAILABLE: {
    kind: 'unavailable',
    message: ({ reason }: { reason: string }) =>
      `the store cannot write: ${reason}; free some disk space, writing is tried again by itself`,
  },
});
