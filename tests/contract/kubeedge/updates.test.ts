// KubeEdge's tables of updates (reference: kubeedge-contract, sections 1.5, 1.6 and 1.9): what is added, and the three answers.
// Titles are named by docs/reference/kubeedge-differences.md where we differ.
import { document, read, result, testExchanges, twin, type Exchange } from './exchanges.ts';
import { actual, typed, update } from './update.ts';

const ADDED: readonly Exchange[] = [
  {
    title:
      'the examples of the contract: one wish and one report, answered by result, document and delta in this order',
    publish: [
      'twin/update',
      '{"event_id":"req-1","timestamp":1767225600000,"twin":{"setpoint":{"expected":{"value":"70"},"metadata":{"type":"int"}},"temp":{"actual":{"value":"64.5"}}}}',
    ],
    expect: [
      [
        'twin/update/result',
        '{"event_id":"req-1","timestamp":TIME,"twin":{"setpoint":{"expected":{"value":"70","metadata":{"timestamp":TIME}},"optional":true,"metadata":{"type":"int"}},"temp":{"actual":{"value":"64.5","metadata":{"timestamp":TIME}},"optional":true,"metadata":{"type":"string"}}}}',
      ],
      [
        'twin/update/document',
        '{"event_id":"req-1","timestamp":TIME,"twin":{"setpoint":{"last":null,"current":{"expected":{"value":"70","metadata":{"timestamp":TIME}},"optional":true,"metadata":{"type":"int"}}},"temp":{"last":null,"current":{"actual":{"value":"64.5","metadata":{"timestamp":TIME}},"optional":true,"metadata":{"type":"string"}}}}}',
      ],
      [
        'twin/update/delta',
        '{"event_id":"UUID","timestamp":TIME,"twin":{"setpoint":{"expected":{"value":"70","metadata":{"timestamp":TIME}},"optional":true,"metadata":{"type":"int"}}},"delta":{"setpoint":"70"}}',
      ],
    ],
  },
  {
    title: 'an update without event_id and timestamp is answered with an empty event_id',
    publish: ['twin/update', JSON.stringify({ twin: { temp: actual('5') } })],
    expect: [result('', { temp: twin({ actual: '5' }) }), document('', { temp: ['null', twin({ actual: '5' })] })],
  },
  {
    title: 'field names are matched in any case, unknown fields are ignored, null is absent',
    publish: [
      'twin/update',
      JSON.stringify({
        EVENT_ID: 'e',
        Timestamp: 1,
        colour: 'red',
        TWIN: { temp: { ACTUAL: { Value: '5', Unit: 'C' }, Expected: null, MetaData: { TYPE: 'int' }, size: 1 } },
      }),
    ],
    expect: [
      result('e', { temp: twin({ actual: '5' }, 'int') }),
      document('e', { temp: ['null', twin({ actual: '5' }, 'int')] }),
    ],
  },
  {
    title: 'names of properties are told apart by case, and answered in the order of their bytes',
    publish: [
      'twin/update',
      update('e', { b: actual('1'), a: actual('2'), '10': actual('3'), '9': actual('4'), B: actual('5') }),
    ],
    expect: [
      [
        'twin/update/result',
        `{"event_id":"e","timestamp":TIME,"twin":{"10":${twin({ actual: '3' })},"9":${twin({ actual: '4' })},"B":${twin({ actual: '5' })},"a":${twin({ actual: '2' })},"b":${twin({ actual: '1' })}}}`,
      ],
      [
        'twin/update/document',
        `{"event_id":"e","timestamp":TIME,"twin":{${[
          ['10', '3'],
          ['9', '4'],
          ['B', '5'],
          ['a', '2'],
          ['b', '1'],
        ]
          .map(([name, text = '']) => `"${name ?? ''}":{"last":null,"current":${twin({ actual: text })}}`)
          .join(',')}}}`,
      ],
    ],
  },
  {
    title: 'an event_id that is a number is answered as its digits',
    publish: ['twin/update', '{"event_id":12,"twin":{"temp":{"actual":{"value":"5"}}}}'],
    expect: [result('12', { temp: twin({ actual: '5' }) }), document('12', { temp: ['null', twin({ actual: '5' })] })],
  },
  {
    title: 'the type is the one that the client names first, spelled as it spells it, and string when none is named',
    given: [update('', { a: { ...actual('1'), ...typed('int') }, b: { ...actual('1'), ...typed('integer') } })],
    publish: [
      'twin/update',
      update('e', {
        a: { ...actual('2'), ...typed('string') },
        b: { ...actual('2'), ...typed('float') },
        c: { ...actual('true'), ...typed('boolean') },
        d: { ...actual('1e3'), ...typed('float') },
        e: actual('x'),
      }),
    ],
    expect: [
      result('e', {
        a: twin({ actual: '2' }, 'int'),
        b: twin({ actual: '2' }, 'integer'),
        c: twin({ actual: 'true' }, 'boolean'),
        d: twin({ actual: '1e3' }, 'float'),
        e: twin({ actual: 'x' }),
      }),
      document('e', {
        a: [twin({ actual: '1' }, 'int'), twin({ actual: '2' }, 'int')],
        b: [twin({ actual: '1' }, 'integer'), twin({ actual: '2' }, 'integer')],
        c: ['null', twin({ actual: 'true' }, 'boolean')],
        d: ['null', twin({ actual: '1e3' }, 'float')],
        e: ['null', twin({ actual: 'x' })],
      }),
    ],
  },
  {
    title: 'types of the DeviceModel and of older clients are taken in any case',
    publish: [
      'twin/update',
      update('e', {
        a: { ...actual('1.5'), ...typed('DOUBLE') },
        b: { ...actual('AAE='), ...typed('bytes') },
        c: { ...actual('5'), ...typed('Updated') },
        d: { ...actual('5'), ...typed('deleted') },
        f: { ...actual({ x: [1, 'y'] }), ...typed('json') },
      }),
    ],
    expect: [
      result('e', {
        a: twin({ actual: '1.5' }, 'double'),
        b: twin({ actual: 'AAE=' }, 'bytes'),
        c: twin({ actual: '5' }),
        d: twin({ actual: '5' }),
        f: twin({ actual: '{"x":[1,"y"]}' }, 'json'),
      }),
      document('e', {
        a: ['null', twin({ actual: '1.5' }, 'double')],
        b: ['null', twin({ actual: 'AAE=' }, 'bytes')],
        c: ['null', twin({ actual: '5' })],
        d: ['null', twin({ actual: '5' })],
        f: ['null', twin({ actual: '{"x":[1,"y"]}' }, 'json')],
      }),
    ],
  },
  {
    title: 'values may be numbers, booleans, objects and arrays, and are answered as text',
    publish: [
      'twin/update',
      update('e', { a: actual(5), b: actual(true), c: actual([1, { x: null }]), d: actual(1.5) }),
    ],
    expect: [
      result('e', {
        a: twin({ actual: '5' }),
        b: twin({ actual: 'true' }),
        c: twin({ actual: '[1,{"x":null}]' }),
        d: twin({ actual: '1.5' }),
      }),
      document('e', {
        a: ['null', twin({ actual: '5' })],
        b: ['null', twin({ actual: 'true' })],
        c: ['null', twin({ actual: '[1,{"x":null}]' })],
        d: ['null', twin({ actual: '1.5' })],
      }),
    ],
  },
  {
    title: 'values may be any text: spaces, other alphabets, quotes, more than 512 characters',
    publish: [
      'twin/update',
      update('e', { a: actual('21 °C, "warm" + 50 %'), b: actual('x'.repeat(600)), c: actual('') }),
    ],
    expect: [
      result('e', {
        a: twin({ actual: '21 °C, "warm" + 50 %' }),
        b: twin({ actual: 'x'.repeat(600) }),
        c: twin({ actual: '' }),
      }),
      document('e', {
        a: ['null', twin({ actual: '21 °C, "warm" + 50 %' })],
        b: ['null', twin({ actual: 'x'.repeat(600) })],
        c: ['null', twin({ actual: '' })],
      }),
    ],
  },
  {
    title: 'the longest name and every character of one',
    publish: ['twin/update', update('e', { 'aZ0-_.,:/@#': actual('1'), ['x'.repeat(128)]: actual('2') })],
    expect: [
      result('e', { 'aZ0-_.,:/@#': twin({ actual: '1' }), ['x'.repeat(128)]: twin({ actual: '2' }) }),
      document('e', {
        'aZ0-_.,:/@#': ['null', twin({ actual: '1' })],
        ['x'.repeat(128)]: ['null', twin({ actual: '2' })],
      }),
    ],
  },
  {
    title: 'a property with neither value is made, with the type it names',
    publish: ['twin/update', update('e', { a: typed('int'), b: {} })],
    expect: [
      result('e', { a: twin({}, 'int'), b: twin({}) }),
      document('e', { a: ['null', twin({}, 'int')], b: ['null', twin({})] }),
    ],
  },
  {
    title: 'a property with neither value is read again',
    given: [update('', { a: typed('int') })],
    publish: ['twin/get', '{"event_id":"g"}'],
    expect: [read('g', { a: twin({}, 'int') })],
  },
  {
    title: 'an update of no properties is answered, and nothing else',
    publish: ['twin/update', update('e', {})],
    expect: [result('e', {})],
  },
  {
    title: 'optional is true unless the client says otherwise',
    publish: [
      'twin/update',
      update('e', { a: { ...actual('1'), optional: false }, b: { ...actual('1'), optional: true } }),
    ],
    expect: [
      result('e', { a: twin({ actual: '1', optional: false }), b: twin({ actual: '1' }) }),
      document('e', { a: ['null', twin({ actual: '1', optional: false })], b: ['null', twin({ actual: '1' })] }),
    ],
  },
  {
    title: 'versions in a request are ignored: a local client does not number its changes',
    given: [update('', { a: actual('1') })],
    publish: [
      'twin/update',
      update('e', {
        a: {
          ...actual('2'),
          actual_version: { cloud: 99, edge: 0 },
          expected_version: { cloud: 0, edge: -5 },
        },
      }),
    ],
    expect: [
      result('e', { a: twin({ actual: '2' }) }),
      document('e', { a: [twin({ actual: '1' }), twin({ actual: '2' })] }),
    ],
  },
];

testExchanges(ADDED);
