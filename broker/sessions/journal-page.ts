// Publications that one commit keeps, in one record: most are routed, delivered and acknowledged within milliseconds, and then cost
// storage no record of their own. A page goes in the commit that gives what is still waiting of it records that last. Pure.

/** Of QoS 1, and not retained, like all on a page. */
interface Paged {
  readonly n: number;
  readonly topic: string;
  readonly payload: string | Buffer;
}

/** Where a page ends, and the next one of the commit begins. */
const FULL_BYTES = 256 * 1024;

export class JournalPage {
  readonly #messages: Paged[] = [];
  #bytes = 0;
  #unrouted = 0;

  /** Its name in storage: that of its first message. */
  get n(): number {
    return this.#messages[0]?.n ?? 0;
  }

  get isFull(): boolean {
    return this.#bytes >= FULL_BYTES;
  }

  add(message: Paged): void {
    this.#messages.push(message);
    this.#bytes += message.payload.length;
    this.#unrouted += 1;
  }

  /** One of its messages has reached those who are to hold it; true when it was the last. */
  routed(): boolean {
    this.#unrouted -= 1;
    return this.#unrouted === 0;
  }

  /** The payloads stand together, so that a page is encoded once and not message by message. */
  encode(): string {
    const payloads = this.#messages.map(({ payload }) =>
      typeof payload === 'string' ? Buffer.from(payload) : payload,
    );
    const messages = this.#messages.map(({ n, topic }, place) => [n, topic, payloads[place]?.length]);
    const all = payloads.length === 1 ? payloads[0] : Buffer.concat(payloads);
    return `{"messages":${JSON.stringify(messages)},"payloads":"${all?.toString('base64') ?? ''}"}`;
  }
}

/** All of it or, as an error, nothing. */
export function decodePage(text: string): readonly Paged[] {
  const { messages, payloads } = JSON.parse(text) as { messages?: unknown; payloads?: unknown };
  if (!Array.isArray(messages) || typeof payloads !== 'string') throw new Error('it is no page of messages');
  const bytes = Buffer.from(payloads, 'base64');
  let at = 0;
  const decoded = (messages as unknown[]).map((one) => {
    const [n, topic, length] = entryOf(one);
    const payload = Buffer.from(bytes.subarray(at, at + length));
    at += length;
    return { n, topic, payload };
  });
  if (at !== bytes.length) throw new Error(`it holds ${bytes.length} bytes of payload, and says ${at}`);
  return decoded;
}

function entryOf(entry: unknown): readonly [n: number, topic: string, length: number] {
  const [n, topic, length] = Array.isArray(entry) ? (entry as unknown[]) : [];
  if (!isCount(n) || typeof topic !== 'string' || !isCount(length)) throw new Error('it does not say what it holds');
  return [n, topic, length];
}

const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;
