import { errorTable } from '../../kit/errors.ts';

export const uplinkErrors = errorTable({
  STORE_DIVERGED: {
    kind: 'refused',
    message: ({ node, holder, incarnation }: { node: string; holder: string; incarnation: string }) =>
      `the node name ${node} is claimed by another store (${holder}, started as ${incarnation}): a second instance, a cloned disk ` +
      `or a restored backup. Nothing is published from here; local work goes on. Stop the other one; if this one shall go on ` +
      `under the name, stop it, run "skerry edge repair --new-term" on its data directory and start it again`,
  },
  UPLINK_WAITS_FOR_TIME: {
    kind: 'unavailable',
    message: ({ now }: { now: string }) =>
      `the clock of this machine shows ${now}: it has not been set yet. Publishing begins when it is, so that what was stamped before ` +
      `gets its time, or after two minutes of connection`,
  },
  CLAIM_NOT_PREPARED: {
    kind: 'unavailable',
    message: ({ node }: { node: string }) =>
      `the hub has not prepared the claim of node ${node} yet, and this store is new; publishing begins when the hub runs and ` +
      `Kubernetes answers it`,
  },
});
