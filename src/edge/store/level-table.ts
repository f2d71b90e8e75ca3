// The checksums of LevelDB's tables. LevelDB writes them and, as it is built here, never looks at them again: what a bad disk
// changed is read as it is. Pure.
import { crc32c, masked } from './crc32c.ts';
import { unsnap, varintAt } from './snappy.ts';

const FOOTER = 48;
const MAGIC = Buffer.from('57fb808b247547db', 'hex');
/** Type of compression, and the checksum. */
const TRAILER = 5;
const SNAPPY = 1;

interface Block {
  readonly at: number;
  readonly size: number;
}

export interface TableCheck {
  /** Places of the blocks that are not what was written. */
  readonly damaged: readonly number[];
  /** The same bytes, with those blocks marked so that LevelDB leaves them out. */
  readonly mark: () => Uint8Array;
}

export function checkTable(bytes: Uint8Array): TableCheck {
  const blocks = blocksOf(bytes);
  const damaged = blocks.filter((block) => !isSound(bytes, block));
  return {
    damaged: damaged.map(({ at }) => at),
    mark: () => {
      const marked = Uint8Array.from(bytes);
      for (const { at, size } of damaged) if (at + size < marked.length) marked[at + size] = 0xff;
      return marked;
    },
  };
}

/** The index and all that it names; where the end of the file is not readable, one block that is not sound. */
function blocksOf(bytes: Uint8Array): readonly Block[] {
  const footer = bytes.length - FOOTER;
  if (footer < 0 || !MAGIC.equals(bytes.subarray(-MAGIC.length))) return [{ at: 0, size: bytes.length }];
  const filters = blockAt(bytes, footer);
  const index = blockAt(bytes, filters.end);
  return [filters.block, index.block].flatMap((block) => [block, ...namedIn(bytes, block)]);
}

function namedIn(bytes: Uint8Array, block: Block): readonly Block[] {
  if (!isSound(bytes, block)) return [];
  const stored = bytes.subarray(block.at, block.at + block.size);
  const content = bytes[block.at + block.size] === SNAPPY ? unsnap(stored) : stored;
  return content === undefined ? [] : valuesIn(content).map((value) => blockAt(value, 0).block);
}

/** Entries of a block: how much of the key is the one before's, how much is new, how long the value is; restart points behind. */
function valuesIn(block: Uint8Array): readonly Uint8Array[] {
  const view = new DataView(block.buffer, block.byteOffset, block.length);
  const end = block.length - 4 - 4 * view.getUint32(block.length - 4, true);
  const values: Uint8Array[] = [];
  for (let at = 0; at < end;) {
    const shared = varintAt(block, at);
    const added = varintAt(block, shared.end);
    const size = varintAt(block, added.end);
    const from = size.end + added.value;
    values.push(block.subarray(from, from + size.value));
    at = from + size.value;
  }
  return values;
}

function blockAt(bytes: Uint8Array, at: number): { readonly block: Block; readonly end: number } {
  const offset = varintAt(bytes, at);
  const size = varintAt(bytes, offset.end);
  return { block: { at: offset.value, size: size.value }, end: size.end };
}

function isSound(bytes: Uint8Array, { at, size }: Block): boolean {
  const end = at + size + 1;
  if (end + TRAILER - 1 > bytes.length) return false;
  const stored = new DataView(bytes.buffer, bytes.byteOffset + end, 4).getUint32(0, true);
  return masked(crc32c(bytes, at, end)) === stored;
}
