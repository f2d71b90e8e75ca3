// A process that is killed says nobody's last will. The next one does, before anybody connects.
import type { Aedes, AedesPublishPacket } from 'aedes';
import { brokerErrors } from './errors.ts';
import type { SessionPersistence } from './sessions/session-persistence.ts';
import type { Will } from './sessions/wills.ts';

/** One that the gate cannot keep now stays: Aedes looks again every few minutes. */
export async function publishLeftWills(aedes: Aedes, persistence: SessionPersistence): Promise<void> {
  const wills = (await persistence.streamWill({ [aedes.id]: true }).toArray()) as Will[];
  for (const will of wills) {
    const isOver = await said(aedes, will);
    if (isOver) await persistence.delWill({ id: will.clientId ?? '' });
  }
}

function said(aedes: Aedes, will: Will): Promise<boolean> {
  const packet = { ...will, cmd: 'publish', dup: false } as AedesPublishPacket;
  return new Promise((resolve) => {
    aedes.authorizePublish(null, packet, (refusal) => {
      if (refusal) resolve(!brokerErrors.BROKER_GATE_UNAVAILABLE.is(refusal));
      else aedes.publish(packet, () => resolve(true));
    });
  });
}
