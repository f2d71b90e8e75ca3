// KubeEdge's tables of updates (reference: kubeedge-contract, sections 1.5, 1.6 and 1.9): what is deleted, and how twins are read.
import { delta, document, read, result, testExchanges, twin, value, type Exchange } from './exchanges.ts';
import { actual, expected, typed, update } from './update.ts';

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

testExchanges([...DELETED, ...READ]);
