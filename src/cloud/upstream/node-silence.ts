// What Device status says of the state while nobody hears the node: a device that was there is `unknown`, and what its node said
// last, or says late, stands aside until the node is heard again. So node and hub never contend for the version of a state. Pure.
import { isPresent } from '../../model/state-rules.ts';
import { parseVersion } from '../../model/version.ts';
import type { DeviceStatus } from '../kubernetes/resources.ts';

/** `undecided`: not heard yet, and not silent for long enough. */
export type NodePresence = 'heard' | 'silent' | 'undecided';

const UNKNOWN = 'unknown';

/** The same object where nothing is to be changed. */
export function underPresence(status: DeviceStatus, presence: NodePresence): DeviceStatus {
  const { stateBefore, ...rest } = status;
  if (presence === 'heard' && stateBefore !== undefined)
    return isOfThisBinding(status) ? { ...rest, state: stateBefore } : rest;
  const isCovered = presence === 'silent' && stateBefore === undefined && isPresent(status.state);
  return isCovered && status.state !== undefined ? { ...status, state: UNKNOWN, stateBefore: status.state } : status;
}

/** What a node said of a Device that was bound to another one since is no word of the node that is heard. */
function isOfThisBinding({ binding, stateVersion }: DeviceStatus): boolean {
  const said = parseVersion(stateVersion ?? '');
  return binding === undefined || said === undefined || said.binding === binding.generation;
}

/** What the node said last. */
export const saidState = ({ state, stateBefore }: DeviceStatus): string | undefined => stateBefore ?? state;

/** The node's word, newer than the one before: aside, where nobody hears the node and it would show the device as there. */
export function withSaidState(status: DeviceStatus, state: string): DeviceStatus {
  const { stateBefore, ...rest } = status;
  if (stateBefore === undefined) return { ...status, state };
  return isPresent(state) ? { ...status, stateBefore: state } : { ...rest, state };
}
