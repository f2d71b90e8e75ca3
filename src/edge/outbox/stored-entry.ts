// An entry as it lies on disk. Encoded once, where it is made, so that its size is known before it is written.
import type { Fact } from '../../model/fact.ts';
import { jsonTable, type Table } from '../store/store-layout.ts';
import type { Transaction } from '../store/transaction.ts';
import { entryKey, type Weighed } from './outbox-key.ts';

export interface OutboxEntry {
  readonly sequence: number;
  readonly incarnation: string;
  readonly fact: Fact;
}

export interface WeighedEntry extends OutboxEntry, Weighed {}

interface StoredEntry {
  readonly incarnation: string;
  readonly fact: Fact;
}

export const OUTBOX_ENTRIES = jsonTable<StoredEntry>('outbox');
const ENTRY_TEXTS: Table<string> = { name: OUTBOX_ENTRIES.name, encode: (text) => text, decode: (text) => text };

/** Of a key beside its chain, generously. */
const KEY_BYTES = 32;

/** Stages an entry, and tells what it weighs. */
export function putEntry(tx: Transaction, chain: string, { sequence, incarnation, fact }: OutboxEntry): WeighedEntry {
  const text = JSON.stringify({ incarnation, fact } satisfies StoredEntry);
  const entry = { sequence, incarnation, fact, bytes: weightOf(chain, text), isCompactable: hasCompactable(fact) };
  tx.put(ENTRY_TEXTS, entryKey(chain, entry), text);
  return entry;
}

/** What an entry of this fact will weigh. */
export function weightOfFact(chain: string, incarnation: string, fact: Fact): number {
  return weightOf(chain, JSON.stringify({ incarnation, fact } satisfies StoredEntry));
}

const weightOf = (chain: string, text: string): number => Buffer.byteLength(text) + chain.length + KEY_BYTES;

function hasCompactable({ changes }: Fact): boolean {
  return changes.some((change) => 'isCompactable' in change && change.isCompactable);
}
