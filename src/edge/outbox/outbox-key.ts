// Keys of entries. What an entry weighs and whether it may be compacted stands in its key, so that a start, and whoever makes room,
// reads keys and no values.
import { orderedNumber } from '../store/store-layout.ts';

/** What is known of an entry by its key. */
export interface Weighed {
  readonly sequence: number;
  /** What it takes on disk, key and value, before the disk's own compression. */
  readonly bytes: number;
  /** Whether it holds a change of a property of which only the last needs to be kept. */
  readonly isCompactable: boolean;
}

/** Of entries that were written before keys told it: about what a fact of one change takes. */
const UNKNOWN_BYTES = 400;
const COMPACTABLE = 'c';

/** The entries of one chain stand together, oldest first. `/` is in no chain's subject. */
export function entryKey(chain: string, { sequence, bytes, isCompactable }: Weighed): string {
  return `${chain}/${orderedNumber(sequence)}.${bytes}${isCompactable ? COMPACTABLE : ''}`;
}

export function parseEntryKey(key: string): Weighed & { readonly chain: string } {
  const cut = key.lastIndexOf('/');
  const [sequence = '', weight = ''] = key.slice(cut + 1).split('.', 2);
  return {
    chain: key.slice(0, cut),
    sequence: Number(sequence),
    bytes: weight === '' ? UNKNOWN_BYTES : Number.parseInt(weight, 10),
    isCompactable: weight.endsWith(COMPACTABLE),
  };
}

/** Sorts after the entry of that sequence and before every newer one: `/` comes after `.` and before digits. */
export const afterEntry = (chain: string, sequence: number): string => `${chain}/${orderedNumber(sequence)}/`;

/** Sorts after every entry of the chain. */
export const endOfChain = (chain: string): string => `${chain}/~`;
