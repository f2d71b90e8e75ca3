// KubeEdge's tables of updates (reference: kubeedge-contract, sections 1.5, 1.6 and 1.9): what is compared with what was there.
import { delta, document, result, testExchanges, twin, type Exchange } from './exchanges.ts';
import { actual, expected, typed, update } from './update.ts';

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

testExchanges(COMPARED);
