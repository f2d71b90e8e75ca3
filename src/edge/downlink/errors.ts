import { errorTable } from '../../kit/errors.ts';

export const downlinkErrors = errorTable({
  INDEX_NOT_UNDERSTOOD: {
    kind: 'refused',
    message: ({ node, revision }: { node: string; revision: number }) =>
      `the index of what node ${node} should hold (revision ${revision}) is not understood: it was written by a hub of another ` +
      `version, or damaged. The node keeps what it has; bring both to one version`,
  },
  INDEX_BEHIND: {
    kind: 'unavailable',
    message: ({ generation }: { generation: number }) =>
      `the index (generation ${generation}) is older than what this node holds: the NATS server has lost the end of its store. ` +
      `The node keeps what it has and asks the hub for another index; see to it that a hub runs`,
  },
  DESIRED_FORGED: {
    kind: 'refused',
    message: ({ key, from }: { key: string; from: string }) =>
      `no hub wrote the entry ${key} of the desired bucket: somebody had the NATS server answer there, about ${from}. The node ` +
      `keeps what it has, and the hub writes it anew; revoke the node that has its name in that subject`,
  },
  DESIRED_OBJECTS_MISSING: {
    kind: 'unavailable',
    message: ({ count, key }: { count: number; key: string }) =>
      `the index names ${count} objects that the bucket does not hold as it says, ${key} among them; they will be asked for again`,
  },
});
