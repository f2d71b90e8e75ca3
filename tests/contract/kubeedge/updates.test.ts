// KubeEdge's tables of updates (reference: kubeedge-contract, sections 1.5, 1.6 and 1.9): what is added, compared and deleted, and
// the three answers. Titles are named by docs/reference/kubeedge-differences.md where we differ.
import { delta, document, read, result, testExchanges, twin, value, type Exchange } from './exchanges.ts';

const update = (eventId: string, fields: Readonly<Record<string, unknown>>, more: object = {}): string =>
  JSON.stringify({ event_id: eventId, timestamp: 1_767_225_600_000, twin: fields, ...more });
const actual = (text: unknown): object => ({ actual: { value: text } });
const expected = (text: unknown): object => ({ expected: { value: text } });
const typed = (type: string): object => ({ metadata: { type } });

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

const COMPARED: readonly Exchange[] = [
  {
    title: 'a result names only the parts that the update supplied, a document the whole property before and after',
    given: [update('', { a: { ...expected('70'), ...typed('int') } }), update('', { a: actual('60') })],
    publish: ['twin/update', update('e', { a: actual('65') })],
    expect: [
      result('e', { a: twin({ actual: '65' }, 'int') }),
      document('e', {
        a: [twin({ expected: '70', actual: '60' }, 'int'), twin({ expected: '70', actual: '65' }, 'int')],
      }),
      delta({ a: twin({ expected: '70', actual: '65' }, 'int') }, { a: '70' }),
    ],
  },
  {
    title: 'a repeated value is answered like a new one',
    given: [update('', { a: actual('5') })],
    publish: ['twin/update', update('e', { a: actual('5') })],
    expect: [
      result('e', { a: twin({ actual: '5' }) }),
      document('e', { a: [twin({ actual: '5' }), twin({ actual: '5' })] }),
    ],
  },
  {
    title: 'an empty object changes nothing of a live property, and is not in the answer',
    given: [update('', { a: actual('5') })],
    publish: ['twin/update', update('e', { a: {}, b: actual('1') })],
    expect: [result('e', { b: twin({ actual: '1' }) }), document('e', { b: ['null', twin({ actual: '1' })] })],
  },
  {
    title: 'a lone optional is a change when it becomes false, and none when it stays or wants to be true again',
    given: [update('', { a: actual('5'), b: { ...actual('5'), optional: false }, c: actual('5') })],
    publish: ['twin/update', update('e', { a: { optional: false }, b: { optional: true }, c: { optional: true } })],
    expect: [
      result('e', { a: twin({ optional: false }) }),
      document('e', { a: [twin({ actual: '5' }), twin({ actual: '5', optional: false })] }),
    ],
  },
  {
    title: 'optional does not become true again beside a value either',
    given: [update('', { a: { ...actual('5'), optional: false } })],
    publish: ['twin/update', update('e', { a: { ...actual('6'), optional: true } })],
    expect: [
      result('e', { a: twin({ actual: '6', optional: false }) }),
      document('e', { a: [twin({ actual: '5', optional: false }), twin({ actual: '6', optional: false })] }),
    ],
  },
  {
    title: 'the delta follows every processed update while anything differs, whatever the update was about',
    given: [update('', { a: expected('on'), b: { ...expected('off'), actual: { value: 'off' } } })],
    publish: ['twin/update', update('e', { c: actual('1') })],
    expect: [
      result('e', { c: twin({ actual: '1' }) }),
      document('e', { c: ['null', twin({ actual: '1' })] }),
      delta({ a: twin({ expected: 'on' }), b: twin({ expected: 'off', actual: 'off' }) }, { a: 'on' }),
    ],
  },
  {
    title: 'the delta follows an update that changed nothing, too',
    given: [update('', { a: expected('on') })],
    publish: ['twin/update', update('e', { a: {} })],
    expect: [result('e', {}), delta({ a: twin({ expected: 'on' }) }, { a: 'on' })],
  },
  {
    title: 'there is no delta when everything is as expected, and an empty expected value asks for nothing',
    given: [update('', { a: expected('on'), b: expected('') })],
    publish: ['twin/update', update('e', { a: actual('on') })],
    expect: [
      result('e', { a: twin({ actual: 'on' }) }),
      document('e', { a: [twin({ expected: 'on' }), twin({ expected: 'on', actual: 'on' })] }),
    ],
  },
  {
    title: 'the delta compares text: 70 and 70.0 differ',
    given: [update('', { a: { ...expected('70'), ...typed('float') } })],
    publish: ['twin/update', update('e', { a: actual('70.0') })],
    expect: [
      result('e', { a: twin({ actual: '70.0' }, 'float') }),
      document('e', {
        a: [twin({ expected: '70' }, 'float'), twin({ expected: '70', actual: '70.0' }, 'float')],
      }),
      delta({ a: twin({ expected: '70', actual: '70.0' }, 'float') }, { a: '70' }),
    ],
  },
  {
    title: 'expected and actual of an undeclared property in one update are both kept',
    publish: ['twin/update', update('e', { a: { ...expected('on'), ...actual('off') } })],
    expect: [
      result('e', { a: twin({ expected: 'on', actual: 'off' }) }),
      document('e', { a: ['null', twin({ expected: 'on', actual: 'off' })] }),
      delta({ a: twin({ expected: 'on', actual: 'off' }) }, { a: 'on' }),
    ],
  },
  {
    title:
      'expected beside actual of a declared property says what the mapper has seen, and does not change what is desired',
    declared: [{ name: 'a', type: 'STRING', accessMode: 'ReadWrite', desired: 'on' }],
    publish: ['twin/update', update('e', { a: { ...expected('off'), ...actual('off') } })],
    expect: [
      result('e', { a: twin({ expected: 'off', actual: 'off' }) }),
      document('e', { a: [twin({ expected: 'on' }), twin({ expected: 'on', actual: 'off' })] }),
      delta({ a: twin({ expected: 'on', actual: 'off' }) }, { a: 'on' }),
    ],
  },
  {
    title: 'what the model declares is not there before somebody says something of it',
    declared: [{ name: 'a', type: 'DOUBLE', accessMode: 'ReadWrite' }],
    publish: ['twin/update', update('e', { a: actual('1.5') })],
    expect: [
      result('e', { a: twin({ actual: '1.5' }, 'double') }),
      document('e', { a: ['null', twin({ actual: '1.5' }, 'double')] }),
    ],
  },
];

const DELETED: readonly Exchange[] = [
  {
    title: 'null deletes an optional property: null in the result, the old one as last, null as current',
    given: [update('', { temp: { ...actual('64.5'), ...expected('65'), ...typed('float') }, other: actual('1') })],
    publish: ['twin/update', '{"event_id":"del-1","timestamp":0,"twin":{"temp":null}}'],
    expect: [
      ['twin/update/result', '{"event_id":"del-1","timestamp":TIME,"twin":{"temp":null}}'],
      document('del-1', { temp: [twin({ expected: '65', actual: '64.5' }, 'float'), 'null'] }),
    ],
  },
  {
    title: 'a deleted property is not read any more',
    given: [update('', { a: actual('1'), b: actual('2') }), update('', { a: null })],
    publish: ['twin/get', '{"event_id":"g"}'],
    expect: [read('g', { b: twin({ actual: '2' }) })],
  },
  {
    title: 'a property that is not optional is not deleted, is not in the answer, and the others of the update are',
    given: [update('', { a: { ...actual('1'), optional: false }, b: actual('2') })],
    publish: ['twin/update', update('e', { a: null, b: null, c: actual('3') })],
    expect: [
      result('e', { b: 'null', c: twin({ actual: '3' }) }),
      document('e', { b: [twin({ actual: '2' }), 'null'], c: ['null', twin({ actual: '3' })] }),
    ],
  },
  {
    title: 'null for an unknown property is answered as done, changes nothing, and stops none of the others',
    publish: ['twin/update', update('e', { a: actual('1'), ghost: null, z: actual('2') })],
    expect: [
      result('e', { a: twin({ actual: '1' }), ghost: 'null', z: twin({ actual: '2' }) }),
      document('e', { a: ['null', twin({ actual: '1' })], z: ['null', twin({ actual: '2' })] }),
    ],
  },
  {
    title: 'deleting a deleted property is answered as done, and is no document',
    given: [update('', { a: actual('1') }), update('', { a: null })],
    publish: ['twin/update', update('e', { a: null })],
    expect: [result('e', { a: 'null' })],
  },
  {
    title: 'a deleted property comes back with the type of the request, as one that was not there',
    given: [update('', { a: { ...actual('1'), ...typed('int') } }), update('', { a: null })],
    publish: ['twin/update', update('e', { a: { ...actual('1.5'), ...typed('float') } })],
    expect: [
      result('e', { a: twin({ actual: '1.5' }, 'float') }),
      document('e', { a: ['null', twin({ actual: '1.5' }, 'float')] }),
    ],
  },
  {
    title: 'a deleted property that comes back without a type is a string',
    given: [update('', { a: { ...actual('1'), ...typed('int') } }), update('', { a: null })],
    publish: ['twin/update', update('e', { a: actual('word') })],
    expect: [result('e', { a: twin({ actual: 'word' }) }), document('e', { a: ['null', twin({ actual: 'word' })] })],
  },
  {
    title: 'what the cloud desires survives a deletion and is asked for again',
    declared: [{ name: 'a', type: 'INT', accessMode: 'ReadWrite', desired: '70' }],
    given: [update('', { a: actual('70') })],
    publish: ['twin/update', update('e', { a: null })],
    expect: [
      result('e', { a: 'null' }),
      document('e', { a: [twin({ expected: '70', actual: '70' }, 'int'), twin({ expected: '70' }, 'int')] }),
      delta({ a: twin({ expected: '70' }, 'int') }, { a: '70' }),
    ],
  },
  {
    title: 'a wish of this node over what the cloud desires ends with a deletion',
    declared: [{ name: 'a', type: 'INT', accessMode: 'ReadWrite', desired: '70' }],
    given: [update('', { a: { ...actual('50') } }), update('', { a: expected('50') })],
    publish: ['twin/update', update('e', { a: null })],
    expect: [
      result('e', { a: 'null' }),
      document('e', { a: [twin({ expected: '50', actual: '50' }, 'int'), twin({ expected: '70' }, 'int')] }),
      delta({ a: twin({ expected: '70' }, 'int') }, { a: '70' }),
    ],
  },
];

const READ: readonly Exchange[] = [
  {
    title: 'twin/get of a device without values is an empty map',
    publish: ['twin/get', '{"event_id":"get-9","timestamp":1767225601000}'],
    expect: [read('get-9', {})],
  },
  {
    title: 'twin/get answers every live property, without versions',
    given: [update('', { b: { ...actual('1'), ...expected('2'), ...typed('int') }, a: actual('x') })],
    publish: ['twin/get', '{"event_id":"g"}'],
    expect: [
      [
        'twin/get/result',
        `{"event_id":"g","timestamp":TIME,"twin":{"a":{"actual":${value('x')},"optional":true,"metadata":{"type":"string"}},"b":{"expected":${value('2')},"actual":${value('1')},"optional":true,"metadata":{"type":"int"}}}}`,
      ],
    ],
  },
  {
    title: 'twin/get without a payload is answered with an empty event_id',
    publish: ['twin/get', '{}'],
    expect: [read('', {})],
  },
];

testExchanges([...ADDED, ...COMPARED, ...DELETED, ...READ]);
