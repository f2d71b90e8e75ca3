// What ingress and downlink announce, and who is told: the egress, which both know nothing of.
import { messageOf } from '../kit/errors.ts';
import type { Logger } from '../kit/logger.ts';
import { deviceKey, type DeviceDefinition } from '../model/device.ts';
import { desiredChanges } from '../model/desired-rules.ts';
import type { DesiredListener } from './downlink/desired-keeper.ts';
import type { Egress } from './egress/egress.ts';
import type { DeviceAnswers, TwinUpdated } from './ingress/device-answers.ts';
import type { Rejects } from './ingress/rejects.ts';
import type { RedeliveryRecords } from './ingress/redelivery.ts';
import type { DesiredObjects } from './meta/desired-objects.ts';
import type { Store } from './store/store.ts';

/** A wish that came by MQTT is for the mapper too. */
export function answersOf(egress: Egress, rejects: Rejects, objects: DesiredObjects): DeviceAnswers {
  const toldMapper = ({ before, after }: Pick<TwinUpdated, 'before' | 'after'>): void => {
    const definition = objects.device(after);
    if (definition !== undefined && desiredChanges(before, after).length > 0) egress.defined(definition, after);
  };
  return {
    updated: (update) => {
      egress.updated(update);
      toldMapper(update);
    },
    desiredChanged: (before, after) => {
      egress.desiredChanged(before, after, desiredChanges(before, after));
      toldMapper({ before, after });
    },
    refused: (refusal) => {
      egress.refused(refusal);
      rejects.add(refusal);
    },
    twinRead: egress.twinRead.bind(egress),
    stateUpdated: egress.stateUpdated.bind(egress),
    membershipRead: egress.membershipRead.bind(egress),
  };
}

interface Remembering {
  readonly store: Store;
  readonly seen: RedeliveryRecords;
}

/** What was remembered of a device goes with it. */
export function listenerOf(egress: Egress, { store, seen }: Remembering, logger: Logger): DesiredListener {
  const removed = (definition: DeviceDefinition): void => {
    egress.removed(definition);
    void seen.forget(store, definition.uid).catch((error: unknown) => {
      const fields = { device: deviceKey(definition), reason: messageOf(error) };
      logger.warn(fields, 'records of a removed device are left');
    });
  };
  return {
    desiredChanged: egress.desiredChanged.bind(egress),
    defined: egress.defined.bind(egress),
    removed,
    joined: egress.joined.bind(egress),
    left: egress.left.bind(egress),
  };
}
