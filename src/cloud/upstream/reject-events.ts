// What a node refused of a device → Kubernetes Events on the Device: whoever wired it up should see why its values do not arrive.
import type { DeviceEvent } from '../../wire/device-events.ts';
import type { Occurrence } from '../kubernetes/event-recorder.ts';

const PUBLICATION_REJECTED = 'PublicationRejected';

/** What a person is told of refused publications; `undefined` for every other event. */
export function rejectOccurrence({ id, node, rejected }: DeviceEvent): Occurrence | undefined {
  if (rejected === undefined) return undefined;
  const { count, reason, since, until } = rejected;
  const [first, last] = [new Date(since).toISOString(), new Date(until).toISOString()];
  const what =
    count === 1 ? `1 publication was refused at ${last}` : `${count} publications were refused, ${first} to ${last}`;
  const why = count === 1 ? reason : `the last one: ${reason}`;
  return {
    type: 'Warning',
    reason: PUBLICATION_REJECTED,
    message: `node ${node}: ${what}: ${why}`,
    identity: `${node}/${id}`,
  };
}
