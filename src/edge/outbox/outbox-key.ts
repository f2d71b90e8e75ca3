import { orderedNumber } from '../store/store-layout.ts';

/** Key of an entry: the entries of one chain stand together, oldest first. `/` is in no chain's subject. */
export const entryKey = (chain: string, sequence: number): string => `${chain}/${orderedNumber(sequence)}`;

export function parseEntryKey(key: string): { readonly chain: string; readonly sequence: number } {
  const cut = key.lastIndexOf('/');
  return { chain: key.slice(0, cut), sequence: Number(key.slice(cut + 1)) };
}

/** Sorts after every entry of the chain. */
export const endOfChain = (chain: string): string => `${chain}/~`;
