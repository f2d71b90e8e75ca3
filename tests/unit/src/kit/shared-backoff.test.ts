import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SharedBackoff } from '../../../../src/kit/shared-backoff.ts';
import { ms, seconds } from '../../../../src/kit/units.ts';
import { waitUntil } from '../../../support/wait-until.ts';

void test('all may ask while all is well; after a failure nobody, then one, and all again after a success', async () => {
  const backoff = new SharedBackoff({ first: ms(20), most: ms(40) }, 8);
  assert.equal(backoff.places, 8);

  backoff.failed();
  assert.equal(backoff.places, 0);
  await waitUntil('the wait to be over', () => backoff.wait === 0);
  assert.equal(backoff.places, 1);

  backoff.succeeded();
  assert.equal(backoff.places, 8);
});

void test('many that fail together wait as long as one', () => {
  const backoff = new SharedBackoff({ first: ms(100), most: seconds(60) }, 8);

  for (let n = 0; n < 8; n += 1) backoff.failed();

  assert.ok(backoff.wait <= 100);
});
