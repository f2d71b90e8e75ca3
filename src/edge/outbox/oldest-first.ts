// Walks the entries of many chains in one order, oldest first, holding no more of each chain than a page.

export interface Page<E> {
  readonly chain: string;
  entries: readonly E[];
  /** Behind which sequence the next page begins. */
  after: number;
  isLast: boolean;
}

export interface Placed<E> {
  readonly chain: string;
  readonly entry: E;
}

export type ReadPage<E> = (
  chain: string,
  after: number,
) => Promise<{ readonly entries: readonly E[]; readonly isLast: boolean }>;

/** @param chains each with the sequence behind which its walk begins */
export async function* oldestFirst<E extends { readonly sequence: number }>(
  chains: Iterable<readonly [string, number]>,
  read: ReadPage<E>,
): AsyncGenerator<readonly Placed<E>[]> {
  let pages: Page<E>[] = [...chains].map(([chain, after]) => ({ chain, entries: [], after, isLast: false }));
  while (pages.length > 0) {
    for (const page of pages) if (page.entries.length === 0 && !page.isLast) await turn(page, read);
    // Behind the end of a page that is not its chain's last, older entries may follow than those of the other chains.
    const horizon = Math.min(...pages.filter(({ isLast }) => !isLast).map(({ after }) => after));
    const placed = pages.flatMap((page) => takeThrough(page, horizon));
    yield placed.sort((a, b) => a.entry.sequence - b.entry.sequence);
    pages = pages.filter(({ entries, isLast }) => entries.length > 0 || !isLast);
  }
}

async function turn<E extends { readonly sequence: number }>(page: Page<E>, read: ReadPage<E>): Promise<void> {
  const { entries, isLast } = await read(page.chain, page.after);
  page.entries = entries;
  page.isLast = isLast || entries.length === 0;
  page.after = entries.at(-1)?.sequence ?? page.after;
}

function takeThrough<E extends { readonly sequence: number }>(page: Page<E>, horizon: number): Placed<E>[] {
  const cut = page.entries.findIndex(({ sequence }) => sequence > horizon);
  const taken = cut === -1 ? page.entries : page.entries.slice(0, cut);
  page.entries = cut === -1 ? [] : page.entries.slice(cut);
  return taken.map((entry) => ({ chain: page.chain, entry }));
}
