// The state of a device as one message: whole where it fits, and of a twin that is too large as much as one message holds. Pure.
import type { Change, Fact } from '../../model/fact.ts';
import { encodeBatch, encodeFact, type Stamp } from '../../wire/device-events.ts';
import { MAX_MESSAGE_BYTES } from '../../wire/limits.ts';

/** Room for its headers. */
const HEADER_BYTES = 1024;
/** The comma before an event, and its place in the fact, which is the end of its id. */
const AROUND_AN_EVENT = 8;

export interface StateMessage {
  readonly bytes: Uint8Array;
  /** How many changes had no room. */
  readonly leftOut: number;
}

/**
 * What is said of the device itself goes first, then as many of its properties as there is room for.
 * @param largestMessage what the server takes
 */
export function stateMessage(fact: Fact, stamp: Stamp, largestMessage: number): StateMessage {
  const largest = Math.min(MAX_MESSAGE_BYTES, largestMessage) - HEADER_BYTES;
  const bytes = encodeBatch([encodeFact(fact, stamp)]);
  if (bytes.length <= largest) return { bytes, leftOut: 0 };
  const sizes = new Map(fact.changes.map((change) => [change, sizeOf(fact, change, stamp)] as const));
  const sizeIn = (change: Change): number => sizes.get(change) ?? 0;
  let room = largest;
  const changes = [...fact.changes]
    .sort((a, b) => Number(isOfProperty(a)) - Number(isOfProperty(b)) || sizeIn(a) - sizeIn(b))
    .filter((change) => {
      const hasRoom = sizeIn(change) <= room;
      if (hasRoom) room -= sizeIn(change);
      return hasRoom;
    });
  const leftOut = fact.changes.length - changes.length;
  return { bytes: encodeBatch([encodeFact({ ...fact, changes }, stamp)]), leftOut };
}

const isOfProperty = (change: Change): boolean => 'property' in change;

const sizeOf = (fact: Fact, change: Change, stamp: Stamp): number =>
  Buffer.byteLength(encodeFact({ ...fact, changes: [change] }, stamp)) + AROUND_AN_EVENT;
