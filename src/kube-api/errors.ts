import { errorTable } from '../kit/errors.ts';

/** What can keep the embedded Kubernetes API from running. What a client did wrong is a `StatusError`, not one of these. */
export const kubeApiErrors = errorTable({
  KUBE_API_PORT_IN_USE: {
    kind: 'refused',
    message: ({ host, port }: { host: string; port: number }) =>
      `Another program already listens on ${host}:${port}: stop it, or give the Kubernetes API another address (port 0 takes any free one).`,
  },
  KUBE_API_LISTEN_REFUSED: {
    kind: 'refused',
    message: ({ host, port }: { host: string; port: number }) =>
      `This machine does not let the Kubernetes API listen on ${host}:${port}: choose an address of this machine and a port that this user may open.`,
  },
  KUBE_API_STORE_LOCKED: {
    kind: 'refused',
    message: ({ directory }: { directory: string }) =>
      `Another process holds the Kubernetes objects in ${directory}: stop it, or use another data directory.`,
  },
  KUBE_API_STORE_UNREADABLE: {
    kind: 'broken',
    message: ({ directory }: { directory: string }) =>
      `The Kubernetes objects in ${directory} cannot be opened: restore the directory from a backup, or move it away to start empty.`,
  },
  KUBE_API_STORE_FAILED: {
    kind: 'broken',
    message: ({ directory }: { directory: string }) =>
      `Writing Kubernetes objects to ${directory} failed: make sure that the disk has room and is writable, then start again.`,
  },
  KUBE_API_DATA_DIR_UNUSABLE: {
    kind: 'refused',
    message: ({ directory }: { directory: string }) =>
      `The data directory ${directory} cannot be used: it must be a directory that this user may write.`,
  },
  KUBE_API_CREDENTIALS_UNREADABLE: {
    kind: 'refused',
    message: ({ file }: { file: string }) =>
      `The credential file ${file} cannot be read as what it should hold: restore it, or remove it to have a new one made.`,
  },
});
