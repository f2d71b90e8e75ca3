// Joining, once: checks the hub against the token's pin, sends the public half of a key made here, keeps what comes back. Waits for a
// hub that is away; ends with what a hub refused.
import { backoffDelay } from '../../kit/backoff.ts';
import type { Clock } from '../../kit/clock.ts';
import { messageOf, SkerryError } from '../../kit/errors.ts';
import { isTimeKnown } from '../../kit/known-time.ts';
import type { Logger } from '../../kit/logger.ts';
import { sleep } from '../../kit/sleep.ts';
import { seconds } from '../../kit/units.ts';
import { createKeyPair } from '../../nats/nkeys.ts';
import type { JoinToken } from '../../wire/join-messages.ts';
import { identityErrors } from './errors.ts';
import { askToJoin } from './hub-talk.ts';
import { fetchCa } from './hub-door.ts';
import type { IdentityFiles, Joined, Joining } from './identity-files.ts';

export interface JoinWish {
  readonly hub: string;
  readonly node: string;
  readonly token: JoinToken;
}

export interface JoinTools {
  readonly files: IdentityFiles;
  readonly clock: Pick<Clock, 'now'>;
  readonly logger: Logger;
}

const RETRY = { first: seconds(1), most: seconds(15) };

export async function join(wish: JoinWish, tools: JoinTools, signal: AbortSignal): Promise<Joined> {
  const { hub, node } = wish;
  let said: string | undefined;
  for (let attempt = 0; ; attempt += 1) {
    try {
      const joined = await tryToJoin(wish, tools, signal);
      tools.logger.info({ hub, node }, 'joined: the key of this node was made here and stays here');
      return joined;
    } catch (error) {
      if (!(error instanceof SkerryError) || error.kind !== 'unavailable') throw error;
      // Said once, and again when something else is in the way.
      if (error.code !== said) tools.logger.warn({ hub, reason: messageOf(error) }, 'not joined yet, trying again');
      said = error.code;
    }
    await sleep(backoffDelay(RETRY, attempt), signal);
    signal.throwIfAborted();
  }
}

async function tryToJoin({ hub, node, token }: JoinWish, tools: JoinTools, signal: AbortSignal): Promise<Joined> {
  const now = tools.clock.now();
  if (!isTimeKnown(now)) throw identityErrors.JOIN_WAITS_FOR_TIME({ now: new Date(now).toISOString() });
  const ca = await fetchCa(hub, token.pin, signal);
  tools.logger.debug({ hub }, 'the hub is the one that the token is for');
  const joining = await keyFor({ hub, node, tokenId: token.id }, tools.files);
  try {
    const terms = { ca, secret: token.secret, time: tools.clock.now() };
    const joined = await askToJoin(joining, terms, signal);
    await tools.files.keepJoined(joined);
    return joined;
  } catch (error) {
    if (!identityErrors.HUB_NOT_TRUSTED.is(error)) throw error;
    // The right CA, which anybody may hand out, and a certificate that it has not signed.
    const found = 'shows a certificate that the authority of the token has not signed';
    throw identityErrors.JOIN_HUB_NOT_TRUSTED({ hub, found }, error);
  }
}

/** On disk before it is sent: after a crash the same key is sent again, and the token is not lost. */
async function keyFor(wanted: Omit<Joining, 'seed'>, files: IdentityFiles): Promise<Joining> {
  const begun = await files.joining();
  const isSame = begun?.hub === wanted.hub && begun.node === wanted.node && begun.tokenId === wanted.tokenId;
  if (begun !== undefined && isSame) return begun;
  const joining = { ...wanted, seed: createKeyPair('user').seed };
  await files.keepJoining(joining);
  return joining;
}
