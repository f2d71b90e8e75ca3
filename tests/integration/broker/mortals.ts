// Clients with last wills, and what becomes of these.
import assert from 'node:assert/strict';
import { mock } from 'node:test';
import type { IConnackPacket } from 'mqtt-packet';
import { RawClient } from './raw-client.ts';
import type { RunningBroker } from './running-broker.ts';

type Will = Partial<{
  readonly topic: string;
  readonly payload: string;
  readonly qos: 0 | 1 | 2;
  readonly retain: boolean;
}>;

export async function announce(running: RunningBroker, clientId: string, will: Will): Promise<RawClient> {
  const { topic = 'will', payload = 'gone', qos = 1, retain = false } = will;
  const client = await RawClient.open(running.port);
  client.send({
    ...{ cmd: 'connect', protocolId: 'MQTT', protocolVersion: 4, clientId, clean: true, keepalive: 60 },
    will: { topic, payload: Buffer.from(payload), qos, retain },
  });
  return client;
}

export async function mortal(running: RunningBroker, clientId: string, will: Will = {}): Promise<RawClient> {
  const client = await announce(running, clientId, will);
  assert.equal(((await client.next('connack')) as IConnackPacket).returnCode, 0);
  return client;
}

export const heardBy = (client: RawClient): string[] =>
  client.received.flatMap((packet) => (packet.cmd === 'publish' ? [packet.payload.toString()] : []));

export const storedIn = ({ records }: { readonly records: ReadonlyMap<string, string> }): string[] =>
  [...records].flatMap(([key, value]) =>
    key.startsWith('will/')
      ? [Buffer.from((JSON.parse(value) as { payload: string }).payload, 'base64').toString()]
      : [],
  );

/** What runs every so often, as long as it does; until `mock.restoreAll()`. */
export class Intervals {
  readonly #running = new Map<unknown, { readonly run: () => void; readonly every: number }>();
  /** How often what began runs, whatever became of it. */
  readonly begun: number[] = [];

  constructor() {
    const { setInterval, clearInterval } = globalThis;
    mock.method(globalThis, 'setInterval', (run: () => void, every: number) => {
      const interval = setInterval(run, every);
      this.#running.set(interval, { run, every });
      this.begun.push(every);
      return interval;
    });
    mock.method(globalThis, 'clearInterval', (interval: NodeJS.Timeout) => {
      this.#running.delete(interval);
      clearInterval(interval);
    });
  }

  run(time: number): void {
    for (const { run, every } of this.#running.values()) if (every === time) run();
  }
}
