// KubeEdge's table of errors (reference: kubeedge-contract, sections 1.7 and 1.8). The reason begins with KubeEdge's sentence where it
// has one for the case; a refused update changes nothing, which the twin that is read behind it shows.
import type { PropertyDefinition } from '../../../src/model/device.ts';
import { error, testExchanges, type Exchange } from './exchanges.ts';

const update = (fields: Readonly<Record<string, unknown>>): string => JSON.stringify({ event_id: 'e', twin: fields });
const actual = (text: unknown, type?: string): object => ({
  actual: { value: text },
  ...(type === undefined ? {} : { metadata: { type } }),
});
const refusal = (reason: string, eventId = 'e'): Exchange['expect'] => [
  error('twin/update', eventId, { code: 400, reason }),
];
const UNREADABLE = 'Unmarshal update request body failed, please check the request: ';
const KEY =
  'The key of twin must only include upper or lowercase letters, number, english, and special letter - _ . , : / @ # and the length of key should be less than 128 bytes: ';
const SETPOINT: PropertyDefinition = {
  ...{ name: 'setpoint', type: 'INT', accessMode: 'ReadWrite', minimum: '0', maximum: '95' },
};
const TEMP: PropertyDefinition = { name: 'temp', type: 'FLOAT', accessMode: 'ReadOnly', maximum: '99.5' };

const PAYLOADS: readonly Exchange[] = [
  {
    title: 'a payload that is no JSON is refused on the topic of its device',
    publish: ['twin/update', '{"event_id":"e","twin":{'],
    expect: refusal(`${UNREADABLE}the payload is not a JSON object`, ''),
  },
  {
    title: 'a payload that is another kind of JSON is refused',
    publish: ['twin/update', '[1]'],
    expect: refusal(`${UNREADABLE}the payload is not a JSON object`, ''),
  },
  {
    title: 'an update without twin is refused with the echoed event_id',
    publish: ['twin/update', '{"event_id":"e"}'],
    expect: refusal('Update twin error, key:twin does not exist: the field "twin" is missing'),
  },
  {
    title: 'a null twin is a missing one',
    publish: ['twin/update', '{"event_id":"e","twin":null}'],
    expect: refusal('Update twin error, key:twin does not exist: the field "twin" is missing'),
  },
  {
    title: 'a twin that is no object is refused',
    publish: ['twin/update', '{"event_id":"e","twin":[]}'],
    expect: refusal(`${UNREADABLE}the field "twin" is not an object of properties`),
  },
  {
    title: 'a property that is no object is refused',
    publish: ['twin/update', update({ a: 5 })],
    expect: refusal(`${UNREADABLE}property "a" must be an object with "actual" or "expected", or null`),
  },
  {
    title: 'fields of the wrong kind are refused',
    publish: ['twin/update', update({ a: { ...actual('1'), optional: 'no' } })],
    expect: refusal(`${UNREADABLE}property "a": "optional" must be true or false`),
  },
  {
    title: 'actual without value is refused, and stops nobody',
    publish: ['twin/update', update({ a: { actual: {} } })],
    expect: refusal('property "a": "actual" must be an object with a "value"'),
  },
  {
    title: 'expected without value is refused, also over one that is stored',
    given: [JSON.stringify({ twin: { a: { expected: { value: '1' } } } })],
    publish: ['twin/update', update({ a: { expected: {} } })],
    expect: refusal('property "a": "expected" must be an object with a "value"'),
  },
  {
    title: 'a name with another character is refused',
    publish: ['twin/update', update({ 'a b': actual('1') })],
    expect: refusal(`${KEY}the property name "a b" must be 1 to 128 letters, digits or one of - _ . , : / @ #`),
  },
  {
    title: 'a name of 129 characters is refused',
    publish: ['twin/update', update({ ['x'.repeat(129)]: actual('1') })],
    expect: refusal(
      `${KEY}the property name "${'x'.repeat(128)}" must be 1 to 128 letters, digits or one of - _ . , : / @ #`,
    ),
  },
  {
    title: 'a name that every JavaScript object has is refused',
    publish: ['twin/update', update({ constructor: actual('1') })],
    expect: refusal('the property name "constructor" is reserved; choose another'),
  },
];

const notInteger = (text: string): string =>
  `the value is not int or integer: property "a" must be an integer, not "${text}"`;

const VALUES: readonly Exchange[] = [
  ...['x', '1.0', '1e3', '0x10', ' 1', ''].map((text): Exchange => ({
    title: `"${text}" is not int`,
    publish: ['twin/update', update({ a: actual(text, 'int') })],
    expect: refusal(notInteger(text)),
  })),
  {
    title: 'an integer beyond 64 bits is refused',
    publish: ['twin/update', update({ a: actual('9223372036854775808', 'integer') })],
    expect: refusal('the value is not int or integer: property "a" must fit 64 bits, not "9223372036854775808"'),
  },
  ...['x', '1e999', '1,5', '0x1'].map((text): Exchange => ({
    title: `"${text}" is not float`,
    publish: ['twin/update', update({ a: actual(text, 'float') })],
    expect: refusal(`the value is not float: property "a" must be a number that fits 64 bits, not "${text}"`),
  })),
  ...['TRUE', '1', 'yes'].map((text): Exchange => ({
    title: `"${text}" is not boolean`,
    publish: ['twin/update', update({ a: actual(text, 'boolean') })],
    expect: refusal(`the bool value must be true or false: property "a" must be true or false, not "${text}"`),
  })),
  {
    title: 'a type that nobody knows is refused',
    publish: ['twin/update', update({ a: actual('1', 'decimal') })],
    expect: refusal(
      'the value type is not allowed: property "a": the type "decimal" is unknown; use string, int, float, double, boolean, bytes or json',
    ),
  },
  {
    title: 'the first wrong property refuses the whole update',
    publish: ['twin/update', update({ good: actual('1'), a: actual('x', 'int'), more: actual('2') })],
    expect: refusal(notInteger('x')),
  },
  {
    title: 'expected is checked like actual',
    given: [JSON.stringify({ twin: { a: actual('1', 'int') } })],
    publish: ['twin/update', update({ a: { expected: { value: 'high' } } })],
    expect: refusal(notInteger('high')),
  },
];

const DECLARED: readonly Exchange[] = [
  {
    title: 'the type of the DeviceModel counts, not that of the request',
    declared: [SETPOINT],
    publish: ['twin/update', update({ setpoint: actual('high', 'string') })],
    expect: refusal('the value is not int or integer: property "setpoint" must be an integer, not "high"'),
  },
  {
    title: 'a value above the maximum of the DeviceModel is refused',
    declared: [SETPOINT],
    publish: ['twin/update', update({ setpoint: { expected: { value: '96' } } })],
    expect: refusal('property "setpoint" must be at most 95, not 96'),
  },
  {
    title: 'a decimal value above the maximum of the DeviceModel is refused',
    declared: [TEMP],
    publish: ['twin/update', update({ temp: actual(99.6) })],
    expect: refusal('property "temp" must be at most 99.5, not 99.6'),
  },
  {
    title: 'a ReadOnly property cannot be given a desired value',
    declared: [TEMP],
    publish: ['twin/update', update({ temp: { expected: { value: '5' } } })],
    expect: refusal('property "temp" is ReadOnly in the device model; it cannot be given a desired value'),
  },
];

const UNKNOWN =
  'the device DEVICE is not known on this node; apply a Device with that name and this node as spec.nodeName';

const DEVICES: readonly Exchange[] = [
  {
    title: 'an update of an unknown device is refused with 404',
    isUnknown: true,
    publish: ['twin/update', update({ a: actual('1') })],
    expect: [
      error('twin/update', 'e', { code: 404, reason: `update rejected due to the device is not existed: ${UNKNOWN}` }),
    ],
  },
  {
    title: 'twin/get of an unknown device is refused with 404',
    isUnknown: true,
    publish: ['twin/get', '{"event_id":"g"}'],
    expect: [error('twin/get', 'g', { code: 404, reason: `Device DEVICE not found while getting twin: ${UNKNOWN}` })],
  },
  {
    title: 'twin/get with a payload that is no JSON object is refused on its own result',
    publish: ['twin/get', 'give'],
    expect: [
      error('twin/get', '', {
        code: 400,
        reason: 'Unmarshal twin info give failed , err: the payload is not a JSON object',
      }),
    ],
  },
];

testExchanges([...PAYLOADS, ...VALUES, ...DECLARED, ...DEVICES]);
