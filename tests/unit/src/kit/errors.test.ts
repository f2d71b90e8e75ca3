import assert from 'node:assert/strict';
import { test } from 'node:test';
import { codeOf, errorTable, isAbort, messageOf, SkerryError } from '../../../../src/kit/errors.ts';

const table = errorTable({
  TANK_EMPTY: { kind: 'unavailable', message: ({ tank }: { tank: string }) => `the tank ${tank} is empty; fill it` },
  TANK_UNKNOWN: { kind: 'refused', message: ({ tank }: { tank: string }) => `there is no tank ${tank}` },
});

void test('an error of a table carries its code, kind, sentence, details and cause', () => {
  const cause = new Error('valve stuck');
  const error = table.TANK_EMPTY({ tank: 'north' }, cause);

  assert.ok(error instanceof SkerryError);
  assert.equal(error.code, 'TANK_EMPTY');
  assert.equal(error.kind, 'unavailable');
  assert.equal(error.message, 'the tank north is empty; fill it');
  assert.deepEqual(error.details, { tank: 'north' });
  assert.equal(error.cause, cause);
});

void test('a factory recognises its own errors and no others', () => {
  assert.equal(table.TANK_EMPTY.is(table.TANK_EMPTY({ tank: 'a' })), true);
  assert.equal(table.TANK_EMPTY.is(table.TANK_UNKNOWN({ tank: 'a' })), false);
  assert.equal(table.TANK_EMPTY.is(Object.assign(new Error('foreign'), { code: 'TANK_EMPTY' })), false);
  assert.equal(table.TANK_EMPTY.is(undefined), false);
});

void test('an error without a cause has none', () => {
  assert.equal('cause' in table.TANK_UNKNOWN({ tank: 'a' }), false);
});

void test('the table cannot be changed', () => {
  assert.throws(() => Object.assign(table, { TANK_EMPTY: undefined }), TypeError);
});

void test('an aborted signal is told from a failure', () => {
  const controller = new AbortController();
  controller.abort();

  assert.equal(isAbort(controller.signal.reason), true);
  assert.equal(isAbort(new DOMException('late', 'TimeoutError')), true);
  assert.equal(isAbort(new Error('AbortError')), false);
  assert.equal(isAbort('AbortError'), false);
});

void test('the code of any caught value is its text code or nothing', () => {
  assert.equal(codeOf(table.TANK_EMPTY({ tank: 'a' })), 'TANK_EMPTY');
  assert.equal(codeOf(Object.assign(new Error('x'), { code: 'EADDRINUSE' })), 'EADDRINUSE');
  for (const value of [new Error('x'), { code: 12 }, null, undefined, 'EADDRINUSE', 5]) {
    assert.equal(codeOf(value), undefined);
  }
});

void test('a message names every cause behind it, and works for values that are no errors', () => {
  const inner = new Error('disk full');
  const outer = new Error('cannot write', { cause: new Error('', { cause: inner }) });

  assert.equal(messageOf(outer), 'cannot write (Error (disk full))');
  assert.equal(messageOf('text'), 'text');
  assert.equal(messageOf(undefined), 'undefined');
});
