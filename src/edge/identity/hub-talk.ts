// What a node says to its hub: that it wants to join, and later that it still holds the key it joined with.
import {
  decodeChallenge,
  decodeJoinGrant,
  JOIN_PATHS,
  sentOfToken,
  signedOfRenewal,
  type ChallengeRequest,
  type JoinGrant,
  type JoinRequest,
  type RenewRequest,
} from '../../wire/join-messages.ts';
import { keyPairFromSeed } from '../../nats/nkeys.ts';
import { identityErrors } from './errors.ts';
import { post } from './hub-door.ts';
import type { Joined, Joining } from './identity-files.ts';

/** Asks to join. The same token, node and key again get the same answer, so whoever heard none asks again. */
export async function askToJoin(
  { hub, node, tokenId, seed }: Joining,
  { ca, secret, time }: { readonly ca: string; readonly secret: string; readonly time: number },
  signal: AbortSignal,
): Promise<Joined> {
  const { publicKey } = keyPairFromSeed(seed);
  const token = sentOfToken({ id: tokenId, secret, pin: '' });
  const body: JoinRequest = { node, token, publicKey, time };
  const answer = understood(hub, await post({ hub, ca }, { path: JOIN_PATHS.join, body }, signal));
  return joinedBy(answer, { hub, node, tokenId, seed });
}

/** Fresh credentials for the key that the node has: no token is needed, however long it was away. */
export async function askToRenew({ hub, ca, node, tokenId, nats }: Joined, signal: AbortSignal): Promise<Joined> {
  const key = keyPairFromSeed(nats.seed);
  const who: ChallengeRequest = { node, publicKey: key.publicKey };
  const door = { hub, ca };
  const found = decodeChallenge(await post(door, { path: JOIN_PATHS.challenge, body: who }, signal));
  if (found === undefined) throw identityErrors.HUB_NOT_UNDERSTOOD({ hub, problem: 'an answer without a challenge' });
  const asked = { ...who, ...found };
  const signature = Buffer.from(key.sign(signedOfRenewal(asked))).toString('base64url');
  const body: RenewRequest = { ...asked, signature };
  const answer = understood(hub, await post(door, { path: JOIN_PATHS.renew, body }, signal));
  return joinedBy(answer, { hub, node, tokenId, seed: nats.seed });
}

function understood(hub: string, text: string): JoinGrant {
  const answer = decodeJoinGrant(text);
  if (answer === undefined) throw identityErrors.HUB_NOT_UNDERSTOOD({ hub, problem: 'an answer without credentials' });
  return answer;
}

const joinedBy = ({ jwt, nats, ca }: JoinGrant, { hub, node, tokenId, seed }: Joining): Joined => ({
  ...{ node, hub, ca, tokenId },
  nats: { url: nats.url, jwt, seed },
});
