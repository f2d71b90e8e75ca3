// Cases of Go's own strconv tests (atof_test.go) for what is read and what is refused.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseGoFloat } from '../../../../src/model/go-float.ts';

void test('what Go reads as a number is read as the same number', () => {
  const cases: readonly (readonly [string, number])[] = [
    ['1', 1],
    ['+1', 1],
    ['1e23', 1e23],
    ['1E23', 1e23],
    ['100000000000000016777215', 100000000000000016777215],
    ['-0.1', -0.1],
    ['.5', 0.5],
    ['5.', 5],
    ['1.7976931348623157e308', Number.MAX_VALUE],
    ['5e-324', 5e-324],
    ['1e-400', 0],
    ['0x1p0', 1],
    ['0x1p-1', 0.5],
    ['0X1.Fp+4', 31],
    ['-0x2.p3', -16],
    ['0x.8p1', 1],
    ['0x1p-1074', 5e-324],
    ['0x1.fffffffffffffp1023', Number.MAX_VALUE],
    ['inf', Infinity],
    ['+Inf', Infinity],
    ['-INFINITY', -Infinity],
    ['1_23.50_0_0e+1_2', 1.235e14],
    ['0x_1_2.3_4_5p+1_2', 74565],
  ];
  for (const [text, value] of cases) assert.equal(parseGoFloat(text), value, text);
  for (const text of ['nan', 'NaN', 'NAN']) assert.ok(Number.isNaN(parseGoFloat(text)));
});

void test('what Go refuses is no number', () => {
  const cases = [
    '',
    '.',
    'e5',
    '1e',
    '1e+',
    '1x',
    '1.1.',
    '+',
    '-',
    '1 ',
    ' 1',
    '++1',
    '+-1',
    'infi',
    'infinit',
    '+nan',
  ];
  const hex = ['0x', '0x1', '0x1.5', '0xp1', '0x.p1', '0x1e2', '0x1p', '0x1p+', '0x1p1024'];
  const underscores = ['_1', '1_', '1__2', '1_.5', '1._5', '1e_3', '1_e3', '-_123.5e+12', '0x1__2p0', '0x_p0'];
  const others = ['1e309', '-1e309', '1,5', '٣', 'Infinity1', 'true', 'null', '1n', '0b1', '0o7'];
  for (const text of [...cases, ...hex, ...underscores, ...others]) assert.equal(parseGoFloat(text), undefined, text);
});

void test('every number that is written out is read back, and no text makes it throw or take long', () => {
  fc.assert(
    fc.property(fc.double({ noNaN: true }), (value) => {
      assert.equal(parseGoFloat(String(value)), value === 0 ? Number(String(value)) : value);
    }),
  );
  const pieces = fc.constantFrom('0x', '1', 'f', '_', '.', 'e', 'p', '+', '-', 'inf', 'nan', '9'.repeat(50));
  fc.assert(
    fc.property(fc.array(pieces, { maxLength: 200 }), (parts) => {
      parseGoFloat(parts.join(''));
    }),
  );
});

// A value that was tried in every way to split it would keep this test for hours.
void test('what is longer than any number is refused unread, however many digits it has', () => {
  const many = '1'.repeat(1024 * 1024);
  for (const text of [many, `${many}x`, `0x${many}p1`, `0x${many}x`, `${many}.${many}`, '1_'.repeat(500_000)])
    assert.equal(parseGoFloat(text), undefined);

  assert.equal(parseGoFloat('0'.repeat(399) + '1'), 1);
  assert.equal(parseGoFloat('0'.repeat(400) + '1'), undefined);
});
