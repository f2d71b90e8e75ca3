import assert from 'node:assert/strict';
import { getEventListeners } from 'node:events';
import { test } from 'node:test';
import { aborted } from '../../../../src/kit/aborted.ts';

test('a signal that has aborted is not waited for', async () => {
  await aborted(AbortSignal.abort());
});

test('everybody who waits is told of the abort, over one listener', async () => {
  const controller = new AbortController();
  const waiting = Array.from({ length: 100 }, () => aborted(controller.signal));
  assert.equal(getEventListeners(controller.signal, 'abort').length, 1);

  controller.abort();

  await Promise.all(waiting);
});
