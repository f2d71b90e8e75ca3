// Whose word counts. The NATS server enforces on which subjects a node publishes, and nothing about what it writes there: the
// payload is believed only where it agrees with the subject, and only while the Device is bound to that node. Pure.
import { deviceKey } from '../../model/device.ts';
import type { DeviceEvent } from '../../wire/device-events.ts';
import { chainSubject, DEVICE_CLASSES, stateSubject } from '../../wire/nats-subjects.ts';
import type { DeviceBinding } from '../kubernetes/resources.ts';

/** Why the batch may not stand on that subject: an event names another node or device. `undefined`: it may. */
export function misfitOf(subject: string, events: readonly DeviceEvent[]): string | undefined {
  let last: DeviceEvent | undefined;
  const misfit = events.find((event) => {
    // Nearly always the next of the same device.
    const isKnown = last !== undefined && isOfSame(last, event);
    if (!isKnown && !fits(subject, event)) return true;
    last = event;
    return false;
  });
  if (misfit === undefined) return undefined;
  const { id, node, device } = misfit;
  return `event ${id} is about ${deviceKey(device)} on node ${node}, which is not what its subject ${subject} says`;
}

function isOfSame(one: DeviceEvent, other: DeviceEvent): boolean {
  const [a, b] = [one.device, other.device];
  return one.node === other.node && a.name === b.name && a.namespace === b.namespace;
}

function fits(subject: string, { node, device }: DeviceEvent): boolean {
  const isOfChain = DEVICE_CLASSES.some((chainClass) => chainSubject(node, chainClass, device) === subject);
  return isOfChain || stateSubject(node, device) === subject;
}

/**
 * True when the event speaks for the Device: its node is the one that the Device is bound to, in this binding or, as late history,
 * in an earlier one. A binding that the hub never made is nobody's: its versions would outrank every later report.
 */
export function isOfBinding(binding: DeviceBinding | undefined, node: string, event: DeviceEvent): boolean {
  return binding !== undefined && binding.nodeName === node && event.version.binding <= binding.generation;
}
