// Where Aedes asks whether a subscription may be made, and tells whose client comes and goes: here sessions begin and end.
import type { Aedes, Client, Subscription } from 'aedes';
import type { Logger } from '../src/kit/logger.ts';
import { Sampler } from '../src/kit/sampler.ts';
import { seconds } from '../src/kit/units.ts';
import type { Passports } from './access/passports.ts';
import type { BrokerLimits } from './limits.ts';
import { NOTHING } from './sessions/session-persistence.ts';
import type { Sessions } from './sessions/sessions.ts';

/** Log lines of one limit in one time: whoever is refused may ask again at once. */
const LINES = 5;
const LINES_PER = seconds(10);
const SWEEP_AT_LEAST_EVERY = seconds(60);
const SWEEP_AT_MOST_EVERY = seconds(1);
/** Of a name that is as long as its client likes. */
const SHOWN = 100;

export interface SessionDoorsTools {
  readonly sessions: Pick<Sessions, 'directory' | 'subscriptions' | 'persistence' | 'sweep'>;
  readonly passports: Pick<Passports, 'maySubscribe' | 'identityOf'>;
  readonly logger: Logger;
}

export class SessionDoors {
  readonly #limits: BrokerLimits;
  readonly #tools: SessionDoorsTools;
  readonly #lines = new Sampler<string>(LINES, LINES_PER);

  constructor(limits: BrokerLimits, tools: SessionDoorsTools) {
    this.#limits = limits;
    this.#tools = tools;
  }

  guard(aedes: Aedes): void {
    const { directory, subscriptions } = this.#tools.sessions;
    aedes.authorizeSubscribe = (client, subscription, answer) => {
      const isGranted = this.#grants(client, subscription);
      // All filters of a packet are decided before the first of them is stored: Aedes stores the packet whole.
      queueMicrotask(() => answer(null, isGranted ? subscription : null));
    };
    aedes.on('unsubscribe', (filters, { id }) => subscriptions.give(id, filters));
    aedes.on('client', (client) => {
      if (!client.clean) directory.come(client.id, client, this.#tools.passports.identityOf(client)?.user);
    });
    aedes.on('clientDisconnect', (client) => {
      if (client.clean) subscriptions.giveAll(client.id);
      else directory.leave(client.id, client);
    });
    const sweeping = setInterval(() => void this.#tools.sessions.sweep(), this.#sweepEvery());
    sweeping.unref();
    aedes.once('closed', () => clearInterval(sweeping));
  }

  #sweepEvery(): number {
    return Math.max(SWEEP_AT_MOST_EVERY, Math.min(SWEEP_AT_LEAST_EVERY, this.#limits.sessionExpiry / 10));
  }

  #grants(client: Client, subscription: Subscription): boolean {
    const { id, closed } = client;
    if (closed) return false;
    if (subscription.topic === NOTHING.topic) return true;
    if (!this.#tools.passports.maySubscribe(client, subscription.topic)) {
      this.#giveUp(client, subscription.topic);
      return false;
    }
    const limit = this.#tools.sessions.subscriptions.take(id, subscription);
    if (limit === undefined) return true;
    const leftOut = this.#lines.take(limit, performance.now());
    if (leftOut === undefined) return false;
    const fields = { client: id.slice(0, SHOWN), filter: subscription.topic.slice(0, SHOWN), limit };
    this.#tools.logger.warn({ ...fields, ...(leftOut > 0 && { linesLeftOut: leftOut }) }, 'a subscription is refused');
    return false;
  }

  /** One that its session has from a time when its user had the right: nothing more is queued for it. */
  #giveUp({ id, clean }: Client, filter: string): void {
    if (clean) return;
    const { subscriptions, persistence } = this.#tools.sessions;
    subscriptions.give(id, [filter]);
    void persistence.removeSubscriptions({ id }, [filter]);
  }
}
