import { stringify } from 'yaml';
import type { Credentials } from './credentials.ts';

const NAME = 'skerry';

/** A kubeconfig that needs no other file. It holds the token: keep it private. */
export function kubeconfigOf(url: string, { authority, token }: Credentials): string {
  return stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [
      {
        name: NAME,
        cluster: { server: url, 'certificate-authority-data': Buffer.from(authority.certificate).toString('base64') },
      },
    ],
    users: [{ name: NAME, user: { token } }],
    contexts: [{ name: NAME, context: { cluster: NAME, user: NAME } }],
    'current-context': NAME,
  });
}
