// Gap markers of the stream → Kubernetes Events on the Device, or the Node: a person should know that history was dropped, and what would have
// kept it (G6). Compacted history is what somebody asked for, and needs no Event.
import type { GapChange } from '../../model/fact.ts';
import type { DeviceEvent, Gap } from '../../wire/device-events.ts';
import { classOfChain } from '../../wire/nats-subjects.ts';
import type { Occurrence } from '../kubernetes/event-recorder.ts';

const HISTORY_DROPPED = 'HistoryDropped';
const MOST_OF_REASON = 100;

const REASONS: Readonly<Record<Exclude<GapChange['reason'], 'compacted'>, (node: string) => string>> = {
  bytes: (node) =>
    `the outbox of node ${node} was full; raise --outbox-bytes of skerry edge there, or restore its link sooner`,
  age: (node) =>
    `they waited too long in the outbox of node ${node}; raise --outbox-age of skerry edge there, or restore its link sooner`,
  size: (node) => `the NATS server that node ${node} reaches takes no message as large; raise its max_payload`,
};

/** What a person is told of a gap; `undefined` where there is nothing to tell. */
export function occurrenceOf(
  subject: string,
  { id, node, gap }: Pick<DeviceEvent, 'id' | 'node' | 'gap'>,
): Occurrence | undefined {
  if (gap === undefined || gap.reason === 'compacted') return undefined;
  const { changes } = gap;
  const what = `${changes} ${changes === 1 ? 'change' : 'changes'} of class ${classOfChain(subject)}`;
  const message = `${what}, received ${spanOf(gap)}, will not reach the cloud: ${reasonOf(gap, node)}`;
  return { type: 'Warning', reason: HISTORY_DROPPED, message, identity: `${node}/${id}` };
}

/** A newer edge may give reasons that are not known here. */
function reasonOf({ reason }: Gap, node: string): string {
  const known = Object.entries(REASONS).find(([name]) => name === reason);
  return (
    known?.[1](node) ??
    `node ${node} gives the reason "${reason.slice(0, MOST_OF_REASON)}", which this hub does not know`
  );
}

function spanOf({ since, until, from, through }: Gap): string {
  const [first, last] = [new Date(since).toISOString(), new Date(until).toISOString()];
  return `${first} to ${last} (outbox entries ${from} to ${through})`;
}
