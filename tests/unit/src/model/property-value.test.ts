import assert from 'node:assert/strict';
import { mock, test } from 'node:test';
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
      else assert.match(checked.reason, /^(must|has|holds|is) /);
    }),
  );
});

void test('text is kept as it is where the type is text, and other JSON as its JSON', () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.constantFrom('STRING', 'BYTES', 'STREAM' as const), (raw, type) => {
      const checked = checkValue(raw, { type });
      if (raw === null) assert.equal(checked.kind, 'refused');
      else if (checked.kind === 'refused') assert.match(checked.reason, /integer/);
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
  const counting = mock.method(globalThis, 'BigInt');
  try {
    assert.equal(kindOf('9'.repeat(1_000_000), 'INT'), 'refused');
    assert.equal(kindOf('99', 'INT'), 'ok');
    assert.deepEqual(
      counting.mock.calls.map(({ arguments: [counted] }) => counted),
      ['99'],
    );
  } finally {
    counting.mock.restore();
  }
});

void test('a float is what Go calls one', () => {
  for (const raw of [
    '1',
    '-1.5',
    '.5',
    '5.',
    '1e3',
    '+1E-3',
    0.1,
    -0,
    1e300,
    'inf',
    '-Infinity',
    'NaN',
    '0x1p-2',
    '1_0',
  ])
    assert.deepEqual(checkValue(raw, { type: 'DOUBLE' }), { kind: 'ok', text: String(raw) });
  for (const raw of ['', '.', '1e999', '0x1', '1,5', ' 1', '1_', '+nan', true, {}, [1]]) {
    const checked = checkValue(raw, { type: 'FLOAT' });
    assert.ok(checked.kind === 'refused' && checked.known === 'the value is not float', JSON.stringify(raw));
  }
});

void test('a number is what KubeEdge says it is not, in its words', () => {
  const knownOf = (raw: unknown, type: 'INT' | 'BOOLEAN'): string | undefined => {
    const checked = checkValue(raw, { type });
    return checked.kind === 'refused' ? checked.known : assert.fail('not refused');
  };

  assert.equal(knownOf('x', 'INT'), 'the value is not int or integer');
  assert.equal(knownOf('1e3', 'INT'), 'the value is not int or integer');
  assert.equal(knownOf('TRUE', 'BOOLEAN'), 'the bool value must be true or false');
});

void test('a JSON number without fraction is an integer, however it is written', () => {
  for (const text of ['1000', '1000.0', '1e3', '1E+3'])
    assert.deepEqual(checkValue(JSON.parse(text), { type: 'INT' }), { kind: 'ok', text: '1000' });
});

void test('JSON is an object or array, as value or as text, and equal values are equal text', () => {
  const value = { b: [1, 'x', null], a: { c: true } };
  const text = '{"b":[1,"x",null],"a":{"c":true}}';

  for (const raw of [value, text, JSON.stringify(value, null, 2)])
    assert.deepEqual(checkValue(raw, { type: 'JSON' }), { kind: 'ok', text });
  for (const raw of [5, true, '', 'x', '5', 'null', '"x"', '{', '\ufeff{}'])
    assert.equal(kindOf(raw, 'JSON'), 'refused', JSON.stringify(raw));
});

void test('digits that were lost on the way are not stored as if they had been sent, however deep', () => {
  for (const json of ['9007199254740993', '[9007199254740993]', '{"a":{"b":[1,9007199254740993]}}']) {
    for (const type of ['STRING', 'BYTES', 'JSON'] as const)
      assert.equal(kindOf(JSON.parse(json), type), 'refused', `${json} as ${type}`);
  }
  assert.equal(kindOf('{"a":9007199254740993}', 'JSON'), 'refused');
  assert.equal(kindOf({ a: 1e300, b: 9_007_199_254_740_991, c: '9007199254740993' }, 'JSON'), 'ok');
  assert.deepEqual(checkValue(1e300, { type: 'STRING' }), { kind: 'ok', text: '1e+300' });
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

void test('what is no number is no limit, and NaN is within none', () => {
  assert.equal(checkValue('5', { type: 'INT', minimum: 'low', maximum: 'high' }).kind, 'ok');
  assert.equal(checkValue('NaN', { type: 'DOUBLE', maximum: '5' }).kind, 'refused');
  assert.equal(checkValue('NaN', { type: 'DOUBLE', minimum: '5' }).kind, 'refused');
  assert.equal(checkValue('inf', { type: 'DOUBLE', maximum: '1e300' }).kind, 'refused');
  assert.equal(checkValue('-inf', { type: 'DOUBLE', maximum: '0' }).kind, 'ok');
  assert.equal(checkValue('zzz', { type: 'STRING', minimum: '5', maximum: '6' }).kind, 'ok');
  assert.equal(checkValue('0x10p0', { type: 'FLOAT', maximum: '15.5' }).kind, 'refused');
});

void test('a value nested deeper than the stack is refused, not thrown', () => {
  const deep = JSON.parse(`${'['.repeat(200_000)}${']'.repeat(200_000)}`) as unknown;

  for (const type of ['STRING', 'JSON'] as const)
    assert.deepEqual(checkValue(deep, { type }), { kind: 'refused', reason: 'is nested too deeply' });
  assert.equal(kindOf(deep, 'INT'), 'refused');
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

void test('a JSON number too large for 64 bits is not stored as something else, however deep', () => {
  for (const json of ['1e400', '-1e400', '[1e400]', '{"a":{"b":[1,-1e400]}}']) {
    for (const type of PROPERTY_TYPES) assert.equal(kindOf(JSON.parse(json), type), 'refused', `${json} as ${type}`);
  }
  assert.equal(kindOf('{"a":1e400}', 'JSON'), 'refused');
  assert.deepEqual(checkValue('inf', { type: 'FLOAT' }), { kind: 'ok', text: 'inf' });
});
