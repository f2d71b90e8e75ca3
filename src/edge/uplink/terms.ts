// Which term a fact is published under: the one that was held when it was enlisted. Under the publishing session's own, what a node
// had waiting when it was started again would outrank the newer values that Kubernetes shows already. Pure.
import type { TermSince } from '../store/store-identity.ts';

/** Terms remembered: older ones are those of facts that have long left the outbox. */
const REMEMBERED_TERMS = 1000;

/** What a store enlisted before it ever held a term counts as of its first. */
export function termOf(terms: readonly TermSince[], sequence: number): number {
  return (terms.findLast(({ after }) => after < sequence) ?? terms[0])?.term ?? 0;
}

/** With a term that a claim has given, for everything enlisted after `newest`. One that is not newer changes nothing. */
export function withTerm(terms: readonly TermSince[], term: number, newest: number): readonly TermSince[] {
  if (term <= (terms.at(-1)?.term ?? 0)) return terms;
  return [...terms, { after: terms.length === 0 ? 0 : newest, term }].slice(-REMEMBERED_TERMS);
}
