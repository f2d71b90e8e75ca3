// HTTP status → our three kinds. 404, 409 and 410 are outcomes, not errors: callers read them from the answer.
import { errorTable } from '../../kit/errors.ts';

type Asked = { readonly method: string; readonly path: string };

export const kubeErrors = errorTable({
  KUBE_CONFIG_INVALID: {
    kind: 'refused',
    message: ({ file, reason }: { file: string; reason: string }) =>
      `the kubeconfig ${file} cannot be used: ${reason}; give a valid file with --kubeconfig`,
  },
  KUBE_UNAVAILABLE: {
    kind: 'unavailable',
    message: ({ method, path, reason }: Asked & { reason: string }) =>
      `the Kubernetes API did not answer ${method} ${path}: ${reason}; the request will be repeated`,
  },
  KUBE_FORBIDDEN: {
    kind: 'refused',
    message: ({ method, path, reason }: Asked & { reason: string }) =>
      `the Kubernetes API does not let the hub ${method} ${path}: ${reason}; check the user of the kubeconfig and its RBAC rules`,
  },
  KUBE_REFUSED: {
    kind: 'refused',
    message: ({ method, path, reason }: Asked & { reason: string; status: number }) =>
      `the Kubernetes API refused ${method} ${path}: ${reason}`,
  },
  HUB_LEASE_LOST: {
    kind: 'broken',
    message: ({ lease, holder, reason }: { lease: string; holder: string; reason: string }) =>
      holder === ''
        ? `the lease ${lease} could not be renewed in time: ${reason}; another hub may lead now, so this one ends; start it again to stand by`
        : `the lease ${lease} is held by ${holder}; this hub ends; start it again to stand by`,
  },
  CRD_FILES_INVALID: {
    kind: 'refused',
    message: ({ dir, reason }: { dir: string; reason: string }) =>
      `the custom resource definitions in ${dir} cannot be used: ${reason}`,
  },
});
