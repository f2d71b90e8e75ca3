// Last wills that nobody could say when it was time: a process that is killed says nobody's, and what the gate refuses is not said.
// The next process says the former before anybody connects; the latter are tried again until the gate accepts them.
import type { Aedes, AedesPublishPacket } from 'aedes';
import { seconds } from '../src/kit/units.ts';
import { brokerErrors } from './errors.ts';
import type { SessionPersistence } from './sessions/session-persistence.ts';
import type { Will, Wills } from './sessions/wills.ts';

const AGAIN_AFTER = seconds(5);

export interface LeftWillsTools {
  readonly persistence: SessionPersistence;
  readonly wills: Wills;
}

export class LeftWills {
  readonly #aedes: Aedes;
  readonly #tools: LeftWillsTools;
  #isSaying = false;

  constructor(aedes: Aedes, tools: LeftWillsTools) {
    this.#aedes = aedes;
    this.#tools = tools;
  }

  /** Resolves when all that were left have been tried; goes on with those that are late until the broker closes. */
  async begin(): Promise<void> {
    await this.#sayLate();
    await this.#sayLeft();
    const again = setInterval(() => void this.#sayLate(), AGAIN_AFTER);
    again.unref();
    this.#aedes.once('closed', () => clearInterval(again));
  }

  async #sayLeft(): Promise<void> {
    const { persistence, wills } = this.#tools;
    const left = (await persistence.streamWill({ [this.#aedes.id]: true }).toArray()) as Will[];
    for (const will of left) {
      if (await this.#say(will)) await persistence.delWill({ id: will.clientId ?? '' });
      else wills.postpone(will.clientId ?? '', will);
    }
  }

  async #sayLate(): Promise<void> {
    if (this.#isSaying) return;
    this.#isSaying = true;
    for (const will of this.#tools.wills.late()) if (await this.#say(will)) this.#tools.wills.said(will);
    this.#isSaying = false;
  }

  /** False when the gate cannot keep it now. */
  #say(will: Will): Promise<boolean> {
    const packet = { ...will, cmd: 'publish', dup: false } as unknown as AedesPublishPacket;
    return new Promise((resolve) => {
      this.#aedes.authorizePublish(null, packet, (refusal) => {
        if (refusal) resolve(!brokerErrors.BROKER_GATE_UNAVAILABLE.is(refusal));
        else this.#aedes.publish(packet, () => resolve(true));
      });
    });
  }
}
