// Aedes' own suite for persistences, run over ours: as it stands in memory, and read back from storage before every question.
import { createRequire } from 'node:module';
import { Readable } from 'node:stream';
import { after, suite, test } from 'node:test';
import { Audience } from '../../../broker/audience.ts';
import { DEFAULT_LIMITS } from '../../../broker/index.ts';
import type { SessionPersistence } from '../../../broker/sessions/session-persistence.ts';
import { createSessions, type Sessions } from '../../../broker/sessions/sessions.ts';
import { Deadline } from '../../../src/kit/deadline.ts';
import { silentLogger } from '../../../src/kit/logger.ts';
import { seconds } from '../../../src/kit/units.ts';
import { MemorySessions } from '../../support/memory-sessions.ts';

type Suite = (options: { test: typeof test; testAsync: true; persistence: () => unknown }) => void;
const aedesSuite = createRequire(import.meta.url)('aedes-persistence/abstract.js') as Suite;

const open: Sessions[] = [];
after(async () => {
  for (const sessions of open) await sessions.close(Deadline.after(seconds(1)));
});

function createFrom(storage: MemorySessions): Sessions {
  const sessions = createSessions(DEFAULT_LIMITS, { audience: new Audience(), storage, logger: silentLogger });
  open.push(sessions);
  return sessions;
}

interface Incoming {
  readonly messageId: number;
  readonly length?: number;
}

/**
 * The suite wants an unfinished QoS 2 publication back whole; Aedes asks only whether it is there, and more is not kept. It wants
 * the DUP flag that it put in; ours says whether a message was sent before, which Aedes never says (MQTT-3.3.1-1).
 */
function completing<T extends object>(persistence: T): T {
  const packets = new Map<number, Incoming>();
  const ask = (name: string, args: readonly unknown[]): Promise<Incoming> =>
    call(persistence, name, args) as Promise<Incoming>;
  const completed: Record<string | symbol, unknown> = {
    incomingStorePacket: (client: unknown, packet: Incoming) => {
      packets.set(packet.messageId, packet);
      return ask('incomingStorePacket', [client, packet]);
    },
    incomingGetPacket: async (client: unknown, packet: Incoming) => {
      const { messageId } = await ask('incomingGetPacket', [client, packet]);
      const whole = { ...packets.get(messageId) };
      delete whole.length;
      return whole;
    },
    outgoingStream: (client: unknown) =>
      (call(persistence, 'outgoingStream', [client]) as Readable).map((packet: object) =>
        'dup' in packet ? { ...packet, dup: false } : packet,
      ),
  };
  return new Proxy(persistence, {
    get: (target, name) => {
      const value: unknown = completed[name] ?? Reflect.get(target, name, target);
      return typeof value === 'function' ? (value.bind(target) as unknown) : value;
    },
  });
}

suite('in memory', () => {
  aedesSuite({ test, testAsync: true, persistence: () => completing(createFrom(new MemorySessions()).persistence) });
});

/** Every call goes to a persistence that has just been read from what the one before it left in storage. */
class Restarted {
  readonly #storage = new MemorySessions();
  broker: { id: string } = { id: '' };

  async setup(broker: { id: string }): Promise<void> {
    this.broker = broker;
    await this.#with(() => Promise.resolve());
  }

  async #with<T>(use: (persistence: SessionPersistence) => Promise<T>): Promise<T> {
    const sessions = createFrom(this.#storage);
    await sessions.persistence.setup(this.broker);
    const result = await use(sessions.persistence);
    await sessions.close(Deadline.after(seconds(1)));
    return result;
  }

  static create(): object {
    return new Proxy(new Restarted(), {
      get: (restarted, name) => {
        if (name === 'broker') return restarted.broker;
        if (name === 'setup') return async (broker: { id: string }): Promise<void> => restarted.setup(broker);
        if (name === 'then') return undefined;
        if (STREAMS.has(name)) return (...args: unknown[]) => Readable.from(restarted.#stream(name, args));
        return (...args: unknown[]) =>
          restarted.#with((persistence) => call(persistence, name, args) as Promise<unknown>);
      },
    });
  }

  async *#stream(name: string | symbol, args: readonly unknown[]): AsyncGenerator {
    const found = await this.#with((persistence) => (call(persistence, name, args) as Readable).toArray());
    // The suite names the broker in what it retains, with a field that no client can send and nobody reads.
    const { id } = this.broker;
    yield* RETAINED.has(name) ? found.map((packet) => ({ ...(packet as object), id })) : found;
  }
}

const RETAINED = new Set<string | symbol>(['createRetainedStream', 'createRetainedStreamCombi']);
const STREAMS = new Set<string | symbol>([...RETAINED, 'outgoingStream', 'streamWill', 'getClientList']);

function call(target: object, name: string | symbol, args: readonly unknown[]): unknown {
  const method = Reflect.get(target, name, target) as (...args: unknown[]) => unknown;
  return method.apply(target, [...args]);
}

suite('read back from storage before every question', () => {
  aedesSuite({ test, testAsync: true, persistence: () => completing(Restarted.create()) });
});
