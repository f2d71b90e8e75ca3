// A local override that lost is said on its Device: somebody beside the machine wanted something else, and should learn why it is
// not so (design: the way down, point 6). What was agreed on, or ended at the node, is nobody's loss. Pure.
import type { EndedOverride, OverrideEnd } from '../../model/fact.ts';
import type { DeviceEvent } from '../../wire/device-events.ts';
import type { Occurrence } from '../kubernetes/event-recorder.ts';
import { shortened } from './local-overrides.ts';

const OVERRIDE_LOST = 'LocalOverrideLost';

const WHY: Readonly<Partial<Record<OverrideEnd, string>>> = {
  CloudChanged: 'the spec said something new',
  NotAllowed: 'the DeviceModel does not know the property any more, or not such a value',
  DeviceMoved: 'the Device was bound anew',
};

/** What a person is to be told of one event: nothing of most. */
export function lossesOf({ id, node, override }: DeviceEvent): readonly Occurrence[] {
  return (override?.ended ?? []).flatMap((ended): readonly Occurrence[] => {
    const why = WHY[ended.reason];
    if (why === undefined) return [];
    const identity = `${node}/${id}/${ended.property}`;
    return [{ type: 'Warning', reason: OVERRIDE_LOST, message: messageOf(ended, node, why), identity }];
  });
}

function messageOf({ property, value, desired }: EndedOverride, node: string, why: string): string {
  const now = desired === undefined ? 'nothing is desired of it now' : `${shortened(desired)} is desired now`;
  return `${property}: ${shortened(value)}, which was set on node ${node}, does not count any more, because ${why}; ${now}`;
}
