// A message as storage has it in a record of its own. Pure.
export interface StoredMessage {
  readonly topic: string;
  readonly payload: string | Buffer;
  readonly qos: 0 | 1 | 2;
  readonly retain: boolean;
  readonly dup: boolean;
  /** What Aedes knows it by; absent in one that was journalled before Aedes saw it. */
  readonly brokerId?: string | undefined;
  readonly brokerCounter?: number | undefined;
}

/** `qos`, `retain` and `dup` are left out where they are 1, false and false, as they mostly are. */
export function encodeMessage({ topic, payload, qos, retain, dup, brokerId, brokerCounter }: StoredMessage): string {
  return JSON.stringify({
    topic,
    ...(typeof payload === 'string' ? { text: payload } : { payload: payload.toString('base64') }),
    ...(qos === 1 ? {} : { qos }),
    ...(retain ? { retain } : {}),
    ...(dup ? { dup } : {}),
    ...(brokerId === undefined ? {} : { brokerId, brokerCounter }),
  });
}

interface EncodedMessage extends Partial<Omit<StoredMessage, 'payload'>> {
  readonly topic: string;
  readonly payload?: string;
  readonly text?: string;
}

export function decodeMessage(encoded: string): StoredMessage {
  const { payload = '', text, ...rest } = JSON.parse(encoded) as EncodedMessage;
  if (typeof rest.topic !== 'string') throw new Error('it names no topic');
  return { qos: 1, retain: false, dup: false, ...rest, payload: text ?? Buffer.from(payload, 'base64') };
}
