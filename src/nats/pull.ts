// Asks a consumer for messages, a few at a time and never more than there is room for. The library's own loops keep what has
// arrived in a queue whose bytes nobody counts, and drop what arrives after a request's time.
import { nanos, type Msg, type NatsConnection } from 'nats';
import { Interruptible } from '../kit/interruptible.ts';
import { ms, seconds, type Duration } from '../kit/units.ts';
import { deliveryOf, type Delivery } from './delivery.ts';

export interface PullTools {
  /** Resolves with how many messages may come, at least one. */
  readonly room: () => Promise<number>;
  readonly onMessage: (delivery: Delivery) => void;
}

const EXPIRES = seconds(20);
/** A server that forgot a request, as one that took over from another may, says nothing at its end. */
const OVERDUE = ms(EXPIRES + 5000);
/** After a refusal that comes at once: the server is short of something. */
const PAUSE = ms(200);
const NO_RESPONDERS = 503;
const CONFLICT = 409;
const IDLE_HEARTBEAT = 100;

/** Resolves when the signal aborts; rejects when the consumer is gone, or with the connection's end. */
export async function pullFrom(
  connection: NatsConnection,
  consumer: { readonly stream: string; readonly name: string; readonly inbox: string },
  { room, onMessage }: PullTools,
  signal: AbortSignal,
): Promise<void> {
  const { stream, name, inbox } = consumer;
  const request = new PullRequest(async () => {
    const jsm = await connection.jetstreamManager({ checkAPI: false });
    await jsm.consumers.info(stream, name);
  });
  const subscription = connection.subscribe(inbox, {
    callback: (error, message) => {
      const delivery = error === null ? deliveryOf(message) : undefined;
      if (delivery === undefined) request.note(error ?? message);
      else {
        onMessage(delivery);
        request.noteMessage();
      }
    },
  });
  const waits = new Interruptible(signal);
  void connection.closed().then((error) => waits.end(error ?? new Error('the connection was closed')));
  try {
    while (!signal.aborted) {
      const batch = await waits.wait(room());
      if (batch === undefined) return;
      const over = request.begin(batch);
      const body = JSON.stringify({ batch, expires: nanos(EXPIRES) });
      connection.publish(`$JS.API.CONSUMER.MSG.NEXT.${stream}.${name}`, body, { reply: inbox });
      await waits.wait(over);
    }
  } finally {
    waits.end();
    request.end();
    if (!connection.isClosed()) subscription.unsubscribe();
  }
}

/** The one request that is under way. */
class PullRequest {
  readonly #look: () => Promise<void>;
  #missing = 0;
  #resolve: () => void = () => undefined;
  #reject: (reason: Error) => void = () => undefined;
  #timer: NodeJS.Timeout | undefined;

  /** @param look rejects when the consumer is gone */
  constructor(look: () => Promise<void>) {
    this.#look = look;
  }

  /** Resolves when it got all it asked for, or its time is over. */
  begin(batch: number): Promise<void> {
    this.#missing = batch;
    const over = new Promise<void>((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    over.catch(() => undefined);
    this.#endIn(OVERDUE);
    return over.finally(() => clearTimeout(this.#timer));
  }

  noteMessage(): void {
    this.#missing -= 1;
    if (this.#missing === 0) this.#resolve();
  }

  /** What the server says about the request instead of a message. */
  note(said: Error | Msg): void {
    if (said instanceof Error) {
      this.#reject(said);
      return;
    }
    switch (meaningOf(said)) {
      case 'gone':
        this.#reject(new Error('the consumer is gone, or nobody serves it'));
        break;
      case 'busy':
        this.#look().then(() => this.#endIn(PAUSE), this.#reject);
        break;
      case 'over':
        this.#resolve();
        break;
      case 'alive':
        break;
    }
  }

  end(): void {
    clearTimeout(this.#timer);
    this.#resolve();
  }

  #endIn(wait: Duration): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#resolve(), wait);
  }
}

function meaningOf({ headers }: Msg): 'gone' | 'busy' | 'over' | 'alive' {
  const code = headers?.code ?? 0;
  if (code === IDLE_HEARTBEAT) return 'alive';
  if (code === NO_RESPONDERS) return 'gone';
  // Of a consumer that was deleted, too.
  return code === CONFLICT ? 'busy' : 'over';
}
