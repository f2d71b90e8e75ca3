import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { PROPERTY_TYPES } from '../../../../src/model/device.ts';
import { checkValue, propertyTypeNamed } from '../../../../src/model/property-value.ts';

const anyType = fc.constantFrom(...PROPERTY_TYPES);
const kindOf = (raw: unknown, type: (typeof PROPERTY_TYPES)[number]): string => checkValue(raw, { type }).kind;

void test('any JSON value gets an answer, and a refusal is a sentence', () => {
  fc.assert(
    fc.property(fc.jsonValue(), anyType, (raw, type) => {
      const checked = checkValue(raw, { type });
      if (checked.kind === 'ok') assert.equal(typeof checked.text, 'string');
      else assert.match(checked.reason, /^(must|has|is) /);
    }),
  );
});

void test('text is kept as it is where the type is text, and other JSON as its JSON', () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.constantFrom('STRING', 'BYTES', 'STREAM' as const), (raw, type) => {
      const checked = checkValue(raw, { type });
      if (raw === null) assert.equal(checked.kind, 'refused');
      else assert.deepEqual(checked, { kind: 'ok', text: typeof raw === 'string' ? raw : JSON.stringify(raw) });
    }),
  );
});

void test('every 64-bit integer keeps its digits, and the ones beside the range are refused', () => {
  fc.assert(
    fc.property(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), (value) => {
      assert.deepEqual(checkValue(String(value), { type: 'INT' }), { kind: 'ok', text: String(value) });
    }),
  );
  assert.equal(kindOf(String(2n ** 63n), 'INT'), 'refused');
  assert.equal(kindOf(String(-(2n ** 63n) - 1n), 'INT'), 'refused');
});

void test('an integer that a JSON number has already rounded is refused instead of stored wrong', () => {
  const raw = JSON.parse('9007199254740993') as unknown;

  assert.equal(kindOf(raw, 'INT'), 'refused');
  assert.equal(kindOf(1e300, 'INT'), 'refused');
  assert.equal(kindOf(Number.MAX_SAFE_INTEGER, 'INT'), 'ok');
  assert.equal(kindOf('9007199254740993', 'INT'), 'ok');
});

void test('what is no integer is refused as one', () => {
  for (const raw of ['', ' 1', '1 ', '1.0', '1e3', '0x10', '--1', '+', 1.5, true, [], {}, 'NaN', '١']) {
    assert.equal(kindOf(raw, 'INT'), 'refused', JSON.stringify(raw));
  }
  for (const raw of ['0', '-0', '+7', '007', 5, -5]) assert.equal(kindOf(raw, 'INT'), 'ok', JSON.stringify(raw));
});

void test('a million digits are refused without counting them', () => {
  const begun = performance.now();
  for (let times = 0; times < 20; times += 1) assert.equal(kindOf('9'.repeat(1_000_000), 'INT'), 'refused');

  assert.ok(performance.now() - begun < 1000);
});

void test('a decimal is finite and in ordinary notation', () => {
  for (const raw of ['1', '-1.5', '.5', '5.', '1e3', '+1E-3', 0.1, -0]) assert.equal(kindOf(raw, 'DOUBLE'), 'ok');
  for (const raw of ['', '.', 'inf', 'NaN', '1e999', '0x1p3', '1,5', ' 1', true, {}]) {
    assert.equal(kindOf(raw, 'FLOAT'), 'refused', JSON.stringify(raw));
  }
});

void test('a boolean is true or false, as word or as JSON', () => {
  for (const raw of ['true', 'false', true, false]) assert.equal(kindOf(raw, 'BOOLEAN'), 'ok');
  for (const raw of ['', 'True', '1', 1, 0, null, []]) assert.equal(kindOf(raw, 'BOOLEAN'), 'refused');
});

void test('limits hold exactly, also beyond the integers that floating numbers can tell apart', () => {
  const limits = fc.tuple(fc.bigInt({ min: -(2n ** 62n), max: 2n ** 62n }), fc.bigInt({ min: 0n, max: 3n }));
  fc.assert(
    fc.property(limits, fc.bigInt({ min: -5n, max: 5n }), ([minimum, width], step) => {
      const value = minimum + step;
      const checked = checkValue(String(value), {
        type: 'INT',
        minimum: String(minimum),
        maximum: String(minimum + width),
      });
      assert.equal(checked.kind, value >= minimum && value <= minimum + width ? 'ok' : 'refused');
    }),
  );
});

void test('an empty limit is none, a decimal limit holds for integers too, and the refusal names the limit', () => {
  assert.equal(checkValue('5', { type: 'INT', minimum: '', maximum: '' }).kind, 'ok');
  assert.deepEqual(checkValue('5', { type: 'INT', maximum: '4.5' }), {
    kind: 'refused',
    reason: 'must be at most 4.5, not 5',
  });
  assert.deepEqual(checkValue(-1, { type: 'DOUBLE', minimum: '0' }), {
    kind: 'refused',
    reason: 'must be at least 0, not -1',
  });
});

void test('a value nested deeper than the stack is refused, not thrown', () => {
  const deep = JSON.parse(`${'['.repeat(200_000)}${']'.repeat(200_000)}`) as unknown;

  assert.deepEqual(checkValue(deep, { type: 'STRING' }), { kind: 'refused', reason: 'is nested too deeply' });
});

void test('a long wrong value does not make a long reason', () => {
  const checked = checkValue('x'.repeat(100_000), { type: 'BOOLEAN' });

  assert.ok(checked.kind === 'refused' && checked.reason.length < 200);
});

void test('type names are known in any case, with those of older clients', () => {
  for (const type of PROPERTY_TYPES) assert.equal(propertyTypeNamed(type), type);
  assert.equal(propertyTypeNamed('Updated'), 'STRING');
  assert.equal(propertyTypeNamed(''), 'STRING');
  assert.equal(propertyTypeNamed('Integer'), 'INT');
  assert.equal(propertyTypeNamed('bool'), 'BOOLEAN');
});

void test('names that every JavaScript object has are no types', () => {
  for (const name of ['constructor', '__proto__', 'toString', 'valueOf', 'hasOwnProperty', 'decimal']) {
    assert.equal(propertyTypeNamed(name), undefined, name);
  }
});
