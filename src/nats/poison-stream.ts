// Messages that no retry will help, kept with the reason until a person has looked: a copy each, in a stream of their own.
import type { Logger } from '../kit/logger.ts';
import { MAX_MESSAGE_BYTES } from '../wire/limits.ts';
import { nodeOfSubject, poisonSubject } from '../wire/nats-subjects.ts';
import type { PoisonKeeper, StreamMessage } from './consumer-loop.ts';
import { receiptOf } from './direct-get.ts';
import { natsErrors } from './errors.ts';
import type { NatsLink } from './nats-link.ts';
import type { Headers } from './plain-headers.ts';

const REASON_LENGTH = 512;
/** For headers, so that the copy of a message of the full size is one too. */
const HEADER_ROOM = 4096;

export class PoisonStream implements PoisonKeeper {
  readonly #link: Pick<NatsLink, 'request'>;
  readonly #logger: Logger;
  #kept = 0;

  constructor(tools: { readonly link: Pick<NatsLink, 'request'>; readonly logger: Logger }) {
    this.#link = tools.link;
    this.#logger = tools.logger;
  }

  /** Messages set aside since the start. */
  get kept(): number {
    return this.#kept;
  }

  /** Resolves once the stream has the copy; setting the same message aside again changes nothing. Rejects when it has it not. */
  async setAside(stream: string, message: StreamMessage, reason: string): Promise<void> {
    const node = nodeOfSubject(message.subject) ?? '';
    const subject = poisonSubject(stream, node, message.sequence);
    const data = message.data.subarray(0, MAX_MESSAGE_BYTES - HEADER_ROOM);
    const answer = await this.#link.request(subject, data, { headers: headersOf(stream, message, reason) });
    const receipt = receiptOf(answer);
    if (receipt.kind === 'unavailable' || receipt.kind === 'wrong-sequence')
      throw natsErrors.NATS_UNAVAILABLE({ subject });
    if (receipt.kind === 'refused')
      throw natsErrors.NATS_REFUSED({ subject, code: receipt.code, description: receipt.description });
    if (receipt.duplicate) return;
    this.#kept += 1;
    this.#logger.error(
      { subject: message.subject, sequence: message.sequence, edge: node, reason },
      'message set aside',
    );
  }
}

function headersOf(stream: string, { subject, sequence, storedAt, data }: StreamMessage, reason: string): Headers {
  const time = storedAt.toISOString();
  return {
    'Nats-Msg-Id': `${stream}.${sequence}.${time}`,
    'Skerry-Subject': subject,
    'Skerry-Stream': stream,
    'Skerry-Sequence': String(sequence),
    'Skerry-Time': time,
    // The reason quotes what a node wrote.
    'Skerry-Reason': reason.replaceAll(/[^\x20-\x7e]+/g, ' ').slice(0, REASON_LENGTH),
    'Skerry-Bytes': String(data.byteLength),
  };
}
