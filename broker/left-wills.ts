// Last wills that nobody could say when it was time: a process that is killed says nobody's, and what the gate refuses is not said.
// The next process says the former before anybody connects; the latter are tried again until the gate accepts them. Aedes would look
// for the former itself, every four minutes and by the time of day: where that was set ahead, all who are connected were of brokers
// that are gone.
import type { Aedes, AedesPublishPacket } from 'aedes';
import { seconds } from '../src/kit/units.ts';
import type { Passports } from './access/passports.ts';
import { brokerErrors } from './errors.ts';
import type { Publisher } from './sessions/routing-slip.ts';
import type { WillAuthor } from './sessions/session-records.ts';
import type { Owed, Wills } from './sessions/wills.ts';

const AGAIN_AFTER = seconds(5);

export interface LeftWillsTools {
  readonly wills: Wills;
}

/** What Aedes does not declare. */
interface Looking {
  readonly _clearWillInterval: NodeJS.Timeout;
}

/** As it comes back from Aedes. */
interface LeftPacket extends AedesPublishPacket {
  readonly clientId: string;
  readonly record: string;
  readonly author?: WillAuthor;
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
    clearInterval((this.#aedes as unknown as Looking)._clearWillInterval);
    await this.#sayLeft();
    const again = setInterval(() => void this.#sayLate(), AGAIN_AFTER);
    again.unref();
    this.#aedes.once('closed', () => clearInterval(again));
  }

  async #sayLeft(): Promise<void> {
    const { wills } = this.#tools;
    for (const owed of wills.left()) {
      if (await this.#say(owed)) wills.end(owed);
      else wills.postpone(owed.client, owed.will);
    }
  }

  async #sayLate(): Promise<void> {
    if (this.#isSaying) return;
    this.#isSaying = true;
    for (const owed of this.#tools.wills.late()) if (await this.#say(owed)) this.#tools.wills.end(owed);
    this.#isSaying = false;
  }

  /** False when the gate cannot keep it now. */
  #say({ will, record }: Owed): Promise<boolean> {
    const packet = { ...will, record, cmd: 'publish', dup: false } as LeftPacket;
    return new Promise((resolve) => {
      this.#aedes.authorizePublish(null, packet, (refusal) => {
        if (refusal) resolve(!brokerErrors.BROKER_GATE_UNAVAILABLE.is(refusal));
        else this.#aedes.publish(packet, () => resolve(true));
      });
    });
  }
}

/** Who publishes it: its connection ended before, perhaps with a former process. */
export function goneClient(packet: object, passports: Pick<Passports, 'issue'>): Publisher {
  const { clientId, record, author } = packet as LeftPacket;
  const client = { id: clientId, clean: true, leftWill: record };
  if (author !== undefined) passports.issue(client, clientId, author);
  return client;
}
