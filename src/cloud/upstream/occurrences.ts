// What nodes report and a person should know → Kubernetes Events on the Device, each once, however often the message is read.
import type { DeviceEvent } from '../../wire/device-events.ts';
import type { EventRecorder, Occurrence } from '../kubernetes/event-recorder.ts';
import type { DeviceResource } from '../kubernetes/resources.ts';
import { isOfBinding } from './event-origin.ts';
import { occurrenceOf } from './gap-events.ts';
import { lossesOf } from './override-events.ts';
import { rejectOccurrence } from './reject-events.ts';

/** False where Kubernetes is away: the message is then to be delivered again. */
export async function tellOccurrences(
  events: readonly DeviceEvent[],
  over: { readonly subject: string; readonly device: DeviceResource; readonly recorder: Pick<EventRecorder, 'record'> },
): Promise<boolean> {
  const { subject, device, recorder } = over;
  for (const event of events) {
    const occurrences = occurrencesOf(subject, event);
    if (occurrences.length === 0 || event.uid !== device.metadata.uid) continue;
    if (!isOfBinding(device.status?.binding, event.node, event)) continue;
    for (const occurrence of occurrences)
      if ((await recorder.record(device, occurrence)) === 'unavailable') return false;
  }
  return true;
}

const NONE: readonly Occurrence[] = [];

function occurrencesOf(subject: string, event: DeviceEvent): readonly Occurrence[] {
  if (event.override !== undefined) return lossesOf(event);
  const occurrence = occurrenceOf(subject, event) ?? rejectOccurrence(event);
  return occurrence === undefined ? NONE : [occurrence];
}
