// One message as a consumer delivers it, and the answers it may get. Where it stands in the stream is told by its reply subject.
import type { Msg } from 'nats';
import type { Duration } from '../kit/units.ts';
import { serverMade, type ServerMade } from './server-made.ts';

export interface Delivery {
  readonly subject: string;
  readonly data: Uint8Array;
  /** Nobody wrote it: somebody had the server answer there. */
  readonly made?: ServerMade | undefined;
  readonly sequence: number;
  /** When the stream stored it. */
  readonly storedAt: Date;
  /** The same for every delivery of one message; another for a message in the same place of a stream that was made anew. */
  readonly key: string;
  acknowledge(): void;
  /** To be delivered again. */
  refuse(after: Duration): void;
  /** Never to be delivered again. */
  terminate(): void;
}

const NANOSECONDS_PER_MILLISECOND = 1_000_000;

/** `undefined`: not a message of a stream. Answers throw when the connection has closed: then it will be delivered again. */
export function deliveryOf(message: Msg): Delivery | undefined {
  const place = placeOf(message.reply);
  if (place === undefined) return undefined;
  const answer = (text: string): boolean => message.respond(Buffer.from(text));
  return {
    subject: message.subject,
    data: message.data,
    made: serverMade({ data: message.data, values: (name) => message.headers?.values(name) ?? [] }),
    sequence: Number(place.sequence),
    storedAt: new Date(Number(place.nanoseconds) / NANOSECONDS_PER_MILLISECOND),
    key: `${place.sequence}.${place.nanoseconds}`,
    acknowledge: () => answer('+ACK'),
    refuse: (after) => answer(`-NAK ${JSON.stringify({ delay: Math.round(after * NANOSECONDS_PER_MILLISECOND) })}`),
    terminate: () => answer('+TERM'),
  };
}

/** `$JS.ACK.[<domain>.<account>.]<stream>.<consumer>.<deliveries>.<sequence>.<consumer sequence>.<time>.<pending>[.<token>]` */
function placeOf(reply: string | undefined): { readonly sequence: string; readonly nanoseconds: string } | undefined {
  const tokens = reply?.split('.') ?? [];
  if (tokens[0] !== '$JS' || tokens[1] !== 'ACK' || tokens.length < 9) return undefined;
  const [, sequence, , nanoseconds] = tokens.slice(tokens.length === 9 ? 4 : 6);
  return sequence === undefined || nanoseconds === undefined ? undefined : { sequence, nanoseconds };
}
