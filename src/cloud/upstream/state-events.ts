// Devices that go and come back → Kubernetes Events on the Device. A flapping device, or a mapper with a thousand of them, must not
// fill the cluster with Events: one of a kind per device and minute, and so many in all; the status shows the rest.
import { seconds } from '../../kit/units.ts';
import { isPresent } from '../../model/state-rules.ts';
import type { DeviceEvent } from '../../wire/device-events.ts';
import type { EventRecorder, Occurrence } from '../kubernetes/event-recorder.ts';
import type { DeviceResource, DeviceStatus } from '../kubernetes/resources.ts';
import { saidState } from './node-silence.ts';

const WHY: Readonly<Record<string, string>> = {
  connected: 'its MQTT client is connected',
  'client-gone': 'its MQTT client is gone',
  'client-not-back': 'its MQTT client did not come back after a restart of the node',
  'mapper-gone': 'the MQTT client that spoke for it and for others is gone',
  'not-heard': 'its node has heard nothing of it yet',
  silence: 'nothing was heard of it for its staleAfter',
};

/** What a person is told of a change of status; `undefined` where the device neither went nor came back. */
export function stateOccurrence(
  before: DeviceStatus,
  after: DeviceStatus,
  events: readonly DeviceEvent[],
): Occurrence | undefined {
  const [was, is] = [saidState(before), saidState(after)];
  if (was === undefined || is === undefined || isPresent(was) === isPresent(is)) return undefined;
  const { type, reason, byWord } = kindOf(is);
  const said = events.findLast(({ kind, value }) => kind === 'state' && value === is);
  const why = WHY[said?.cause ?? ''] ?? byWord;
  return { type, reason, message: `the device is ${is}: ${why} (node ${after.binding?.nodeName ?? ''})` };
}

function kindOf(state: string): Pick<Occurrence, 'type' | 'reason'> & { readonly byWord: string } {
  if (isPresent(state)) return { type: 'Normal', reason: 'DeviceOnline', byWord: 'it is heard again' };
  const reason = state.toLowerCase() === 'offline' ? 'DeviceOffline' : 'DeviceUnknown';
  return { type: 'Warning', reason, byWord: 'it was said of it' };
}

const EVERY = seconds(60);
const MOST_IN_ALL = 200;

export class StateEvents {
  readonly #recorder: Pick<EventRecorder, 'record'>;
  readonly #monotonic: () => number;
  /** By device and reason, of the current minute. */
  #told = new Set<string>();
  #begun = Number.NEGATIVE_INFINITY;

  constructor(recorder: Pick<EventRecorder, 'record'>, monotonic: () => number) {
    this.#recorder = recorder;
    this.#monotonic = monotonic;
  }

  /** Best effort. Never rejects. */
  async tell(device: DeviceResource, occurrence: Occurrence): Promise<void> {
    if (this.#monotonic() - this.#begun >= EVERY) {
      this.#begun = this.#monotonic();
      this.#told = new Set();
    }
    const key = `${device.metadata.uid} ${occurrence.reason}`;
    if (this.#told.has(key) || this.#told.size >= MOST_IN_ALL) return;
    this.#told.add(key);
    await this.#recorder.record(device, occurrence);
  }
}
