// A whole stream, read once from its beginning: for questions about what is in it, not for work on what comes.
import { AckPolicy, DeliverPolicy, nanos, type Consumer, type NatsConnection } from 'nats';
import { seconds } from '../kit/units.ts';
import type { StreamMessage } from './consumer-loop.ts';
import { natsErrors } from './errors.ts';
import type { NatsLink } from './nats-link.ts';

export type StoredMessage = Pick<StreamMessage, 'subject' | 'data' | 'sequence'>;

const AT_ONCE = 500;
const ANSWER_WITHIN = seconds(10);

/** Hands over every message that the stream holds when it is asked, oldest first. Rejects with NATS_UNAVAILABLE; then some were handed over. */
export async function readStream(
  link: NatsLink,
  stream: string,
  onMessage: (message: StoredMessage) => void,
): Promise<void> {
  const connection = link.jetStreamConnection();
  if (connection === undefined) throw natsErrors.NATS_UNAVAILABLE({ subject: stream });
  try {
    await readAll(connection, stream, onMessage);
  } catch (error) {
    throw natsErrors.NATS_UNAVAILABLE({ subject: stream }, error);
  }
}

async function readAll(
  connection: NatsConnection,
  stream: string,
  onMessage: (message: StoredMessage) => void,
): Promise<void> {
  const manager = await connection.jetstreamManager();
  const { messages, last_seq: last } = (await manager.streams.info(stream)).state;
  if (messages === 0) return;
  const { name } = await manager.consumers.add(stream, {
    ack_policy: AckPolicy.None,
    deliver_policy: DeliverPolicy.All,
    inactive_threshold: nanos(seconds(30)),
  });
  const consumer = await connection.jetstream().consumers.get(stream, name);
  for (let reached = 0; reached < last;) reached = await readSome(consumer, reached, onMessage);
  await manager.consumers.delete(stream, name);
}

/** Resolves with the sequence that was reached; with infinity after the last message, which need not be the last sequence. */
async function readSome(
  consumer: Consumer,
  from: number,
  onMessage: (message: StoredMessage) => void,
): Promise<number> {
  let reached = from;
  for await (const message of await consumer.fetch({ max_messages: AT_ONCE, expires: ANSWER_WITHIN })) {
    const { subject, data, seq: sequence } = message;
    onMessage({ subject, data, sequence });
    reached = message.info.pending === 0 ? Number.POSITIVE_INFINITY : sequence;
  }
  if (reached === from) throw new Error('the server sent nothing in time');
  return reached;
}
