// What a node signs to show that it holds its key. A challenge says by itself for whom and until when it is good, so none is kept.
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { seconds, type Duration } from '../../kit/units.ts';

export interface Challenged {
  readonly node: string;
  readonly publicKey: string;
}

const GOOD_FOR: Duration = seconds(60);
const FORM = /^([0-9a-z]{1,12})\.([A-Za-z0-9_-]{22})\.([A-Za-z0-9_-]{43})$/;

export class Challenges {
  /** Of this process: a challenge of another hub is asked for again. */
  readonly #key = randomBytes(32);

  make(challenged: Challenged, now: number): string {
    const [ends, nonce] = [(now + GOOD_FOR).toString(36), randomBytes(16).toString('base64url')];
    return `${ends}.${nonce}.${this.#seal(challenged, ends, nonce).toString('base64url')}`;
  }

  isGood(challenge: string, challenged: Challenged, now: number): boolean {
    const [, ends = '', nonce = '', seal = ''] = FORM.exec(challenge) ?? [];
    const isOurs = timingSafeEqual(this.#seal(challenged, ends, nonce), Buffer.from(seal.padEnd(43, 'A'), 'base64url'));
    const rest = Number.parseInt(ends, 36) - now;
    return isOurs && rest > 0 && rest <= GOOD_FOR;
  }

  #seal({ node, publicKey }: Challenged, ends: string, nonce: string): Buffer {
    return createHmac('sha256', this.#key)
      .update(JSON.stringify([node, publicKey, ends, nonce]))
      .digest();
  }
}
