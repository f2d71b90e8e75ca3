// What is published and consumed in the tests of the consumer loop, and how the server sees its consumer.
import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import type { ConsumerInfo } from 'nats';
import { Deadline } from '../../../src/kit/deadline.ts';
import { silentLogger } from '../../../src/kit/logger.ts';
import { seconds } from '../../../src/kit/units.ts';
import { ConsumerLoop, type StreamMessage, type Verdict } from '../../../src/nats/consumer-loop.ts';
import { receiptOf } from '../../../src/nats/direct-get.ts';
import type { NatsLink } from '../../../src/nats/nats-link.ts';
import { PoisonStream } from '../../../src/nats/poison-stream.ts';

export const NEVER = new AbortController().signal;
export const SUBJECT = 'skerry.edge-a.up.twin.default.counter';

export async function publish(link: NatsLink, text: string): Promise<number> {
  const receipt = receiptOf(await link.request(SUBJECT, Buffer.from(text)));
  assert.equal(receipt.kind, 'stored');
  return receipt.sequence;
}

export async function loopOver(
  t: TestContext,
  link: NatsLink,
  handle: (message: StreamMessage) => Promise<Verdict>,
): Promise<ConsumerLoop> {
  const config = { stream: 'skerry-up', durable: 'test' };
  const loop = new ConsumerLoop(config, { link, logger: silentLogger, poison: poisonOver(link), handle });
  await loop.start(NEVER);
  t.after(() => loop.stop(Deadline.after(seconds(2))));
  return loop;
}

export const poisonOver = (link: NatsLink): PoisonStream => new PoisonStream({ link, logger: silentLogger });

/** Of the one consumer of the stream. */
export async function consumerOf(link: NatsLink): Promise<ConsumerInfo | undefined> {
  const jsm = await link.jetStreamConnection()?.jetstreamManager();
  const found: ConsumerInfo[] = [];
  for await (const info of jsm?.consumers.list('skerry-up') ?? []) found.push(info);
  return found.length === 1 ? found[0] : undefined;
}

export const unacknowledged = async (link: NatsLink): Promise<number | undefined> =>
  (await consumerOf(link))?.num_ack_pending;

export const text = (message: StreamMessage): string => Buffer.from(message.data).toString();

export const collect =
  (seen: string[]) =>
  (message: StreamMessage): Promise<Verdict> => {
    seen.push(text(message));
    return Promise.resolve('done');
  };
