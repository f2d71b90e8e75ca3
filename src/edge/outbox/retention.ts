// What goes when the outbox is full: first what the stream has acknowledged, then what newer values of the same property stand for,
// then the oldest of the lowest class. Pure; `room-keeper.ts` does it.
import type { ChainClass } from '../../wire/nats-subjects.ts';
import type { AcknowledgedNote } from './acknowledged-notes.ts';

/** The first of these that holds anything is dropped from. */
export const DROPPED_FIRST: readonly ChainClass[] = ['telemetry', 'data', 'message', 'event', 'twin'];

/** Shares of the limit at which room begins to be made, and down to which it is. */
export const BEGIN_AT = 0.9;
export const MAKE_ROOM_TO = 0.8;

/** More than a gap marker of that chain weighs. The names of the chain are in it twice. */
export const markerBytes = (chain: string): number => 800 + 2 * chain.length;

/** Through which moment acknowledged entries must be cleared to free so many bytes; undefined when there are none. */
export function clearThrough(notes: Iterable<AcknowledgedNote>, goal: number): number | undefined {
  let freed = 0;
  let moment: number | undefined;
  for (const { at, bytes } of [...notes].sort((a, b) => a.at - b.at)) {
    if (freed >= goal) break;
    freed += bytes;
    moment = at;
  }
  return moment;
}

/**
 * Finds how far the oldest must go, over many chains, to free so many bytes. In each chain a marker takes the place of what goes,
 * so that a chain from which less would go than a marker weighs frees nothing.
 */
export class Cut {
  readonly #goal: number;
  readonly #gone = new Map<string, number>();
  #through = 0;
  #freed = 0;

  constructor(goal: number) {
    this.#goal = goal;
  }

  /** Everything up to this sequence goes. */
  get through(): number {
    return this.#through;
  }

  get freed(): number {
    return this.#freed;
  }

  /** Takes the next older entry, oldest first over all chains; false once enough goes. */
  take(chain: string, { sequence, bytes }: { readonly sequence: number; readonly bytes: number }): boolean {
    const before = this.#gone.get(chain) ?? -markerBytes(chain);
    this.#gone.set(chain, before + bytes);
    this.#freed += Math.max(0, before + bytes) - Math.max(0, before);
    this.#through = sequence;
    return this.#freed < this.#goal;
  }
}
