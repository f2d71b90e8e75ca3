// Where in its stream a consumer goes on. Each time, a new consumer takes over at the checkpoint of the one before: what a killed
// hub had in hand comes at once, and a late acknowledgement of the old one's deliveries reaches nobody.
import { randomBytes } from 'node:crypto';
import { AckPolicy, DeliverPolicy, NatsError, type ConsumerInfo, type JetStreamManager } from 'nats';
import type { Logger } from '../kit/logger.ts';
import { decodeCheckpoint, encodeCheckpoint, startAfter, type Checkpoint, type Start } from './checkpoint.ts';

export interface ConsumerConfig {
  readonly stream: string;
  /** What the names of its consumers on the server begin with. */
  readonly durable: string;
}

/** For what was lost on the way to us, or our answer to it; a message that is in hand meanwhile is not handed over twice. */
const ACK_WAIT_SECONDS = 30;
/** Handed over and not yet acknowledged. Bounds what comes again after a kill; memory is bounded in bytes by the loop. */
const MAX_UNACKNOWLEDGED = 10_000;
const NANOSECONDS = 1_000_000_000;

/** Resolves with the name of the consumer to pull from; those before it are gone. */
export async function takePosition(jsm: JetStreamManager, config: ConsumerConfig, logger: Logger): Promise<string> {
  const { stream } = config;
  const before = await consumersOf(jsm, config);
  const { start, checkpoint } = await startFor(jsm, stream, before[0]);
  if (start.kind === 'lost-tail')
    logger.warn({ stream, since: start.time }, 'the stream lost its tail; consuming again');
  const name = `${config.durable}-${randomBytes(4).toString('hex')}`;
  await jsm.consumers.add(stream, {
    durable_name: name,
    ack_policy: AckPolicy.Explicit,
    ack_wait: ACK_WAIT_SECONDS * NANOSECONDS,
    max_ack_pending: MAX_UNACKNOWLEDGED,
    ...(checkpoint === undefined ? {} : { description: encodeCheckpoint(checkpoint) }),
    ...deliveryFrom(start),
  });
  for (const { name: old } of before) await unlessMissing(jsm.consumers.delete(stream, old));
  return name;
}

/** Keeps with the consumer how far it is. Cheap enough for every few seconds. */
export async function keepCheckpoint(jsm: JetStreamManager, stream: string, name: string): Promise<void> {
  const { ack_floor: floor } = await jsm.consumers.info(stream, name);
  const { stream_seq: sequence } = floor;
  if (sequence === 0) return;
  // Where what was there has been replaced: all that is older than the next message is settled too.
  const timestamp = (await timestampAt(jsm, stream, sequence)) ?? (await timestampAfter(jsm, stream, sequence));
  if (timestamp === undefined) return;
  const description = encodeCheckpoint({ sequence, timestamp });
  await jsm.consumers.update(stream, name, { description });
}

/** The newest first. More than one is left by a hub that was killed between making one and deleting the other. */
async function consumersOf(jsm: JetStreamManager, { stream, durable }: ConsumerConfig): Promise<ConsumerInfo[]> {
  const found: ConsumerInfo[] = [];
  for await (const info of jsm.consumers.list(stream)) {
    const suffix = info.name.startsWith(durable) ? info.name.slice(durable.length) : undefined;
    if (suffix === '' || /^-[0-9a-f]{8}$/.test(suffix ?? 'foreign')) found.push(info);
  }
  return found.sort((a, b) => Date.parse(b.created) - Date.parse(a.created));
}

async function startFor(
  jsm: JetStreamManager,
  stream: string,
  before: ConsumerInfo | undefined,
): Promise<{ readonly start: ReturnType<typeof startAfter>; readonly checkpoint?: Checkpoint }> {
  if (before === undefined) return { start: { kind: 'beginning' } };
  const checkpoint = decodeCheckpoint(before.config.description ?? '');
  const { first_seq: first, last_seq: last } = (await jsm.streams.info(stream)).state;
  const stored = checkpoint === undefined ? undefined : await timestampAt(jsm, stream, checkpoint.sequence);
  const start = startAfter({ checkpoint, began: beganAt(before) }, { first, last }, stored);
  return start.kind === 'after' && checkpoint !== undefined ? { start, checkpoint } : { start };
}

function beganAt({ config }: ConsumerInfo): Start {
  const { deliver_policy: policy, opt_start_seq: sequence, opt_start_time: time } = config;
  if (policy === DeliverPolicy.StartSequence && sequence !== undefined)
    return { kind: 'after', sequence: sequence - 1 };
  if (policy === DeliverPolicy.StartTime && time !== undefined) return { kind: 'since', time };
  return { kind: 'beginning' };
}

function deliveryFrom(start: ReturnType<typeof startAfter>): {
  readonly deliver_policy: DeliverPolicy;
  readonly opt_start_seq?: number;
  readonly opt_start_time?: string;
} {
  switch (start.kind) {
    case 'beginning':
      return { deliver_policy: DeliverPolicy.All };
    case 'after':
      return { deliver_policy: DeliverPolicy.StartSequence, opt_start_seq: start.sequence + 1 };
    case 'since':
    case 'lost-tail':
      return { deliver_policy: DeliverPolicy.StartTime, opt_start_time: start.time };
  }
}

/** `undefined` when there is no message in that place. */
async function timestampAt(jsm: JetStreamManager, stream: string, sequence: number): Promise<string | undefined> {
  if (sequence === 0) return undefined;
  return (await unlessMissing(jsm.streams.getMessage(stream, { seq: sequence })))?.timestamp;
}

/** Of the next message that there is. */
async function timestampAfter(jsm: JetStreamManager, stream: string, sequence: number): Promise<string | undefined> {
  // The library's type does not know it.
  const next = { seq: sequence + 1, next_by_subj: '>' };
  return (await unlessMissing(jsm.streams.getMessage(stream, next)))?.timestamp;
}

async function unlessMissing<T>(asked: Promise<T>): Promise<T | undefined> {
  try {
    return await asked;
  } catch (error) {
    if (error instanceof NatsError && error.api_error?.code === 404) return undefined;
    throw error;
  }
}
