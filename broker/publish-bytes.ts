// A PUBLISH as it goes to subscribers (MQTT 3.1.1, 3.3), without its payload. Pure. What differs between subscribers is only the
// packet id, so that a hundred of them cost one encoding.
const PUBLISH = 3;
const MOST_LENGTH_BYTES = 4;

/** What of a publication stands before its payload. DUP is never set: it is not the sender's to pass on (MQTT-3.3.1-3). */
export interface PublishHead {
  readonly topic: string;
  readonly payloadLength: number;
  readonly qos: 0 | 1 | 2;
  readonly retain: boolean;
}

export class PublishHeads {
  #last: PublishHead | undefined;
  #bytes: Buffer = Buffer.alloc(0);

  /** The caller's to keep and not to change: those of QoS 0 are shared. */
  encode(head: PublishHead, messageId: number): Buffer {
    if (!isSame(this.#last, head)) {
      this.#last = head;
      this.#bytes = encodeHead(head);
    }
    if (head.qos === 0) return this.#bytes;
    const copy = Buffer.allocUnsafe(this.#bytes.length);
    copy.set(this.#bytes);
    copy.writeUInt16BE(messageId, copy.length - 2);
    return copy;
  }
}

function isSame(a: PublishHead | undefined, b: PublishHead): boolean {
  return a?.topic === b.topic && a.payloadLength === b.payloadLength && a.qos === b.qos && a.retain === b.retain;
}

/** With room for a packet id at its end, where there is one. */
function encodeHead({ topic, payloadLength, qos, retain }: PublishHead): Buffer {
  const topicLength = Buffer.byteLength(topic);
  const idLength = qos === 0 ? 0 : 2;
  const bytes = Buffer.alloc(1 + MOST_LENGTH_BYTES + 2 + topicLength + idLength);
  bytes[0] = (PUBLISH << 4) | (qos << 1) | (retain ? 1 : 0);
  let at = 1;
  for (let rest = 2 + topicLength + idLength + payloadLength, isMore = true; isMore; at += 1) {
    isMore = rest >= 0x80;
    bytes[at] = isMore ? (rest & 0x7f) | 0x80 : rest;
    rest >>>= 7;
  }
  at = bytes.writeUInt16BE(topicLength, at);
  at += bytes.write(topic, at);
  return bytes.subarray(0, at + idLength);
}
