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
  const { name, num_pending: pending } = await manager.consumers.add(stream, {
    ack_policy: AckPolicy.None,
    deliver_policy: DeliverPolicy.All,
    inactive_threshold: nanos(seconds(30)),
  });
  const consumer = await connection.jetstream().consumers.get(stream, name);
  // The last message need not be the last sequence.
  for (let at: Place = { sequence: 0, pending }; at.sequence < last && at.pending > 0;)
    at = await readSome(consumer, at, onMessage);
  await manager.consumers.delete(stream, name);
}

/** Of the message that was read last, and how many come behind it. */
interface Place {
  readonly sequence: number;
  readonly pending: number;
}

async function readSome(consumer: Consumer, from: Place, onMessage: (message: StoredMessage) => void): Promise<Place> {
  let reached = from;
  // No more than there are: for the rest of a batch the server would be waited for.
  const batch = { max_messages: Math.min(AT_ONCE, from.pending), expires: ANSWER_WITHIN };
  for await (const message of await consumer.fetch(batch)) {
    const { subject, data, seq: sequence, info } = message;
    onMessage({ subject, data, sequence });
    reached = { sequence, pending: info.pending };
  }
  if (reached === from) throw new Error('the server sent nothing in time');
  return reached;
}
