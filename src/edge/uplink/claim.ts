// Before it publishes, an edge claims its node key by compare-and-set, with a term that is newer than any before. Pure decision,
// then the few requests that carry it out.
import { readLast, putIfRevision } from '../../nats/direct-get.ts';
import type { NatsLink } from '../../nats/nats-link.ts';
import { bucketSubject, CLAIM_BUCKET, CLAIM_STREAM, claimKey } from '../../wire/nats-subjects.ts';
import { decodeClaim, encodeClaim, type Claim } from '../../wire/node-reports.ts';
import type { StoreIdentity } from '../store/store-identity.ts';

export type ClaimDecision = 'hold' | 'take' | 'diverged';

/**
 * - `hold`: the claim is this very start's.
 * - `take`: nobody's, an earlier start's of this store, or this store is new and has just been admitted under the name, or a
 *   person said that it shall go on.
 * - `diverged`: another store, or a start that this store never had: a cloned disk, a second instance, a restored backup.
 */
export function decideClaim(found: Claim | undefined, own: StoreIdentity): ClaimDecision {
  if (found === undefined || own.term === 0) return 'take';
  if (found.storeId === own.storeId && found.incarnation === own.incarnation) return 'hold';
  if (own.mayTakeOver === true) return 'take';
  if (found.storeId !== own.storeId) return 'diverged';
  return own.past.includes(found.incarnation) ? 'take' : 'diverged';
}

export type ClaimResult =
  | { readonly kind: 'claimed'; readonly revision: number; readonly term: number }
  | { readonly kind: 'diverged'; readonly holder: Claim };

/** Rejects with NATS_UNAVAILABLE; asking again is safe, also when an earlier answer was lost. */
export async function claimNode(link: NatsLink, node: string, own: StoreIdentity): Promise<ClaimResult> {
  const subject = bucketSubject(CLAIM_BUCKET, claimKey(node));
  const { storeId, incarnation } = own;
  for (;;) {
    const { holder, revision } = await readClaim(link, subject);
    const decision = decideClaim(holder, own);
    const lastTerm = holder?.term ?? revision;
    if (decision === 'hold') return { kind: 'claimed', revision, term: lastTerm };
    if (decision === 'diverged' && holder !== undefined) return { kind: 'diverged', holder };
    // A bucket that was lost begins its revisions again. The store that goes on over it keeps its term, so that history which it
    // publishes once more does not count as newer, and says it in the claim, so that the next store's is newer still.
    const isLost = holder === undefined && own.term > 0;
    const term = isLost ? own.term : Math.max(lastTerm, own.term) + 1;
    const taken = await putIfRevision(link, subject, encodeClaim({ storeId, incarnation, term }), revision);
    if (taken !== 'conflict') return { kind: 'claimed', revision: taken, term };
  }
}

async function readClaim(
  link: NatsLink,
  subject: string,
): Promise<{ readonly holder: Claim | undefined; readonly revision: number }> {
  const last = await readLast(link, CLAIM_STREAM, subject);
  if (last === undefined) return { holder: undefined, revision: 0 };
  return { holder: last.operation === undefined ? decodeClaim(last.data) : undefined, revision: last.sequence };
}
