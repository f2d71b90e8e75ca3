import assert from 'node:assert/strict';
import { Deadline } from '../../src/kit/deadline.ts';
import { seconds } from '../../src/kit/units.ts';

/** It stops by itself: with far more time than a loaded machine needs, and not because that time was over. */
export async function stopsByItself(part: { stop(deadline: Deadline): Promise<unknown> }): Promise<void> {
  const deadline = Deadline.after(seconds(30));
  await part.stop(deadline);
  assert.ok(deadline.remaining() > 0, 'it stopped because its time was over');
}
