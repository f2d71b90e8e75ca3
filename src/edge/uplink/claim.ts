// Before it publishes, an edge claims its node key by compare-and-set, with a term that is newer than any before. Pure decision,
// then the few requests that carry it out.
import { Lineage, type Start } from '../../model/lineage.ts';
import { readLast, putIfRevision } from '../../nats/direct-get.ts';
import type { NatsLink } from '../../nats/nats-link.ts';
import { bucketSubject, CLAIM_BUCKET, CLAIM_STREAM, claimKey } from '../../wire/nats-subjects.ts';
import { decodeClaim, encodeClaim, isFloor, type Claim } from '../../wire/node-reports.ts';
import type { StoreIdentity } from '../store/store-identity.ts';

export type ClaimDecision = 'hold' | 'take' | 'wait' | 'diverged';

/**
 * - `hold`: the claim is this very start's.
 * - `take`: nobody's, an earlier start's of this store, or this store is new and has just been admitted under the name, or a
 *   person said that it shall go on.
 * - `wait`: this store is new, and how far earlier ones had come has not been said: its term might be old.
 * - `diverged`: another store, or a start that this store never had: a cloned disk, a second instance, a restored backup.
 */
export function decideClaim(found: Claim | undefined, own: StoreIdentity): ClaimDecision {
  const isNew = own.term === 0;
  if (found === undefined) return isNew ? 'wait' : 'take';
  if (found.storeId === own.storeId && found.incarnation === own.incarnation) return 'hold';
  if (isFloor(found) || isNew || own.mayTakeOver) return 'take';
  if (found.storeId !== own.storeId) return 'diverged';
  return lineageOf(own).isOwnStart(found.incarnation) ? 'take' : 'diverged';
}

/**
 * One more than any before. Where the claims were lost, with the bucket, the store that goes on keeps its term, so that history
 * which it publishes once more does not count as newer; but not when it is behind what the hub has seen.
 */
export function nextTerm(found: Claim | undefined, own: number): number {
  if (found === undefined) return own;
  if (isFloor(found) && own > 0 && own >= found.term) return own;
  return Math.max(found.term, own) + 1;
}

export const lineageOf = ({ starts, others }: StoreIdentity): Lineage => new Lineage(starts, others);

export type ClaimResult =
  | { readonly kind: 'claimed'; readonly revision: number; readonly term: number; readonly others: readonly Start[] }
  | { readonly kind: 'diverged'; readonly holder: Claim; readonly others: readonly Start[] }
  | { readonly kind: 'wait' };

/** Rejects with NATS_UNAVAILABLE or NATS_FORBIDDEN; asking again is safe, also when an earlier answer was lost. */
export async function claimNode(link: NatsLink, node: string, own: StoreIdentity): Promise<ClaimResult> {
  const subject = bucketSubject(CLAIM_BUCKET, claimKey(node));
  const { storeId, incarnation } = own;
  for (;;) {
    const { found, revision } = await readClaim(link, subject);
    const others = lineageOf(own).othersWith(own.others, found?.starts ?? []);
    const settled = withoutWriting(decideClaim(found, own), { found, revision, others });
    if (settled !== undefined) return settled;
    const term = nextTerm(found, own.term);
    const claim = { storeId, incarnation, term, starts: lineageOf({ ...own, others }).told() };
    const taken = await putIfRevision(link, subject, encodeClaim(claim), revision);
    if (taken !== 'conflict') return { kind: 'claimed', revision: taken, term, others };
  }
}

interface ReadClaim {
  readonly found: Claim | undefined;
  readonly revision: number;
}

function withoutWriting(
  decision: ClaimDecision,
  { found, revision, others }: ReadClaim & { readonly others: readonly Start[] },
): ClaimResult | undefined {
  if (decision === 'wait') return { kind: 'wait' };
  if (found === undefined || decision === 'take') return undefined;
  return decision === 'hold'
    ? { kind: 'claimed', revision, term: found.term, others }
    : { kind: 'diverged', holder: found, others };
}

async function readClaim(link: NatsLink, subject: string): Promise<ReadClaim> {
  const last = await readLast(link, CLAIM_STREAM, subject);
  if (last === undefined) return { found: undefined, revision: 0 };
  return { found: last.operation === undefined ? decodeClaim(last.data) : undefined, revision: last.sequence };
}
