// Sessions that a test leaves behind, storage that it holds in its hand, and what clients were sent.
import { MemorySessions } from '../../support/memory-sessions.ts';
import { waitUntil } from '../../support/wait-until.ts';
import { RawClient } from './raw-client.ts';
import type { RunningBroker } from './running-broker.ts';

export const payloadsAt = (client: RawClient): string[] =>
  client.received.flatMap((packet) => (packet.cmd === 'publish' ? [packet.payload.toString()] : []));

export const countOf = (client: RawClient, cmd: string): number =>
  client.received.filter((packet) => packet.cmd === cmd).length;

export async function leaveSession(running: RunningBroker, clientId: string, filter: string): Promise<void> {
  const client = await RawClient.connected(running.port, clientId, false);
  await client.subscribe(filter, 2);
  client.end();
  await waitUntil('the client to be gone', () => running.broker.connectedClients === 0);
}

/** Storage that refuses, or answers when it is told to. */
export class HeldSessions extends MemorySessions {
  hold: Promise<unknown> = Promise.resolve();
  /** The first commit that waits for `hold`. */
  holdFrom = 0;
  commits = 0;

  override async commit(build: Parameters<MemorySessions['commit']>[0]): Promise<void> {
    this.commits += 1;
    if (this.commits >= this.holdFrom) await this.hold;
    await super.commit(build);
  }
}

export const idsAt = (client: RawClient): number[] =>
  client.received.flatMap(({ cmd, messageId }) => (cmd === 'publish' ? [messageId ?? 0] : []));

export interface Given {
  readonly qos: 0 | 1 | 2;
  readonly payload: string;
}

export const givenTo = (client: RawClient): Given[] =>
  client.received.flatMap((packet) =>
    packet.cmd === 'publish' ? [{ qos: packet.qos, payload: packet.payload.toString() }] : [],
  );
