import { errorTable } from '../../kit/errors.ts';

export const admissionErrors = errorTable({
  NODE_NAME_INVALID: {
    kind: 'refused',
    message: ({ node }: { node: string }) =>
      `"${node}" cannot be a node name: use lower-case letters, digits, "-" and ".", beginning and ending with a letter or digit`,
  },
  NODE_FILE_INVALID: {
    kind: 'broken',
    message: ({ file }: { file: string }) =>
      `the credentials file ${file} cannot be read; delete it and start again: the node gets new credentials`,
  },
  ADMISSION_NEEDS_MANAGED_NATS: {
    kind: 'refused',
    message: ({ node }: { node: string }) =>
      `node "${node}" cannot be admitted: the hub makes users only in a nats-server of its own; leave out --nats, or make the user there`,
  },
  REVOCATION_NEEDS_OUR_NATS: {
    kind: 'refused',
    message: () =>
      'nobody can be thrown out of a NATS server whose users somebody made by hand (--nats with a user): remove the user there',
  },
});
