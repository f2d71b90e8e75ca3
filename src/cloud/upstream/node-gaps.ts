// Gaps among the messages for programs are about no Device: they are Events on the Node that dropped the messages.
import { gapsOfNode } from '../../wire/device-events.ts';
import { nodeOfSubject } from '../../wire/nats-subjects.ts';
import { kubeErrors } from '../kubernetes/errors.ts';
import type { EventRecorder } from '../kubernetes/event-recorder.ts';
import type { NodeApi } from '../kubernetes/node-api.ts';
import { kubeObjectFrom, type KubeObject } from '../kubernetes/resources.ts';
import { occurrenceOf } from './gap-events.ts';

export interface NodeGapTools {
  readonly nodes: Pick<NodeApi, 'get'>;
  readonly events: Pick<EventRecorder, 'record'>;
}

/** False where Kubernetes is away: the message is then to be delivered again. */
export async function tellNodeGaps(
  { subject, data }: { readonly subject: string; readonly data: Uint8Array },
  { nodes, events }: NodeGapTools,
): Promise<boolean> {
  const node = nodeOfSubject(subject);
  // What names another node than its subject is not believed.
  const told = gapsOfNode(data).filter((gap) => gap.node === node);
  const occurrences = told.map((gap) => occurrenceOf(subject, gap)).filter((each) => each !== undefined);
  if (node === undefined || occurrences.length === 0) return true;
  const object = await findNode(nodes, node);
  if (object === 'unavailable') return false;
  if (object === undefined) return true;
  for (const occurrence of occurrences) if ((await events.record(object, occurrence)) === 'unavailable') return false;
  return true;
}

async function findNode(nodes: Pick<NodeApi, 'get'>, name: string): Promise<KubeObject | 'unavailable' | undefined> {
  try {
    return kubeObjectFrom((await nodes.get(name)) ?? {}, { apiVersion: 'v1', kind: 'Node' });
  } catch (error) {
    // Where the hub may not read Nodes no Event is worth holding up the messages behind it.
    return kubeErrors.KUBE_UNAVAILABLE.is(error) ? 'unavailable' : undefined;
  }
}
