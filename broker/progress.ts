// Whether a client moves: whether it takes what waits for it, and goes on with a packet that it began. Looked at now and then; a
// look costs a few comparisons, and sending and receiving cost nothing.

/** What can be seen of a connection from outside. */
export interface Look {
  /** Bytes that the system took over, and bytes of what it is taking that it has not taken: either moves while a client reads. */
  readonly sent: number;
  readonly queued: number;
  readonly isSending: boolean;
  readonly received: number;
  /** A packet has begun, and all that came of it has been read. */
  readonly isReceiving: boolean;
}

const NEVER: Look = { sent: 0, queued: 0, isSending: false, received: 0, isReceiving: false };

export class Progress {
  #last = NEVER;
  #sending = 0;
  #receiving = 0;

  /** How many looks in a row, up to this one, found it where it was the time before. */
  look(now: Look): number {
    const { sent, queued, isSending, received, isReceiving } = this.#last;
    const isSentStill = isSending && now.isSending && sent === now.sent && queued === now.queued;
    const isReceivedStill = isReceiving && now.isReceiving && received === now.received;
    this.#last = now;
    this.#sending = isSentStill ? this.#sending + 1 : 0;
    this.#receiving = isReceivedStill ? this.#receiving + 1 : 0;
    return Math.max(this.#sending, this.#receiving);
  }
}
