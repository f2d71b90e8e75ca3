import assert from 'node:assert/strict';
import { test } from 'node:test';
import { acceptedStatus } from '../../../../../src/cloud/downstream/acceptance.ts';
import { effectiveDevice, nextBinding } from '../../../../../src/cloud/downstream/effective-device.ts';
import type { DeviceModelResource, DeviceResource } from '../../../../../src/cloud/kubernetes/resources.ts';
import { encodeDefinition } from '../../../../../src/wire/desired.ts';

const model: DeviceModelResource = {
  apiVersion: 'devices.kubeedge.io/v1beta1',
  kind: 'DeviceModel',
  metadata: { name: 'boiler-model', namespace: 'plant', uid: 'm', resourceVersion: '1' },
  spec: {
    protocol: 'modbus',
    protocolConfigData: { port: '502', retries: 3 },
    properties: [
      { name: 'temp', type: 'FLOAT', accessMode: 'ReadOnly', unit: 'C' },
      {
        name: 'setpoint',
        type: 'INT',
        accessMode: 'ReadWrite',
        minimum: '0',
        maximum: '95',
        visitors: { protocolName: 'modbus', configData: { register: 'HoldingRegister', limit: 1 } },
      },
    ],
  },
};

function boiler(changes: Partial<DeviceResource> = {}): DeviceResource {
  return {
    apiVersion: 'devices.kubeedge.io/v1beta1',
    kind: 'Device',
    metadata: { name: 'boiler-7', namespace: 'plant', uid: 'uid-1', resourceVersion: '1' },
    spec: {
      deviceModelRef: { name: 'boiler-model' },
      nodeName: 'edge-a',
      protocol: { protocolName: 'modbus', configData: { port: '5502', ip: '10.0.0.7' } },
      properties: [
        { name: 'temp', collectCycle: 2000 },
        { name: 'setpoint', desired: { value: '70' }, visitors: { configData: { offset: 4, limit: 2 } } },
      ],
    },
    status: { binding: { nodeName: 'edge-a', generation: 3 } },
    ...changes,
  };
}

test("a device's own settings lie over its model's, key by key", () => {
  const effective = effectiveDevice(boiler(), model);

  assert.equal(effective.kind, 'complete');
  assert.deepEqual(effective.definition, {
    namespace: 'plant',
    name: 'boiler-7',
    uid: 'uid-1',
    binding: 3,
    protocol: 'modbus',
    protocolConfig: { ip: '10.0.0.7', port: '5502', retries: 3 },
    properties: [
      { name: 'temp', type: 'FLOAT', accessMode: 'ReadOnly', unit: 'C', collectCycle: 2000 },
      {
        name: 'setpoint',
        type: 'INT',
        accessMode: 'ReadWrite',
        minimum: '0',
        maximum: '95',
        desired: '70',
        visitors: { protocolName: 'modbus', configData: { limit: 2, offset: 4, register: 'HoldingRegister' } },
      },
    ],
  });
});

test("the description is the Device's label of that name", () => {
  const { metadata } = boiler();
  const effective = effectiveDevice(boiler({ metadata: { ...metadata, labels: { description: 'floor-2' } } }), model);

  assert.equal(effective.kind, 'complete');
  assert.equal(effective.definition.description, 'floor-2');
});

test('the order in which somebody wrote the settings does not change the bytes', () => {
  const other = boiler();
  const spec = { ...other.spec, protocol: { protocolName: 'modbus', configData: { ip: '10.0.0.7', port: '5502' } } };
  const bytes = (device: DeviceResource): string => {
    const effective = effectiveDevice(device, model);
    assert.equal(effective.kind, 'complete');
    return Buffer.from(encodeDefinition(effective.definition)).toString();
  };

  assert.equal(bytes({ ...other, spec }), bytes(boiler()));
});

test('a device without a model, or with a property that its model does not know, is incomplete and says which field', () => {
  const missing = effectiveDevice(boiler(), undefined);
  assert.equal(missing.kind === 'incomplete' && missing.reason, 'DeviceModelMissing');
  assert.match(missing.kind === 'incomplete' ? missing.message : '', /spec\.deviceModelRef\.name.*"boiler-model"/);

  const unknown = boiler({ spec: { ...boiler().spec, properties: [{ name: 'temp' }, { name: 'presure' }] } });
  const effective = effectiveDevice(unknown, model);
  assert.equal(effective.kind === 'incomplete' && effective.reason, 'PropertyNotInModel');
  assert.match(effective.kind === 'incomplete' ? effective.message : '', /spec\.properties\[1\]\.name: "presure"/);

  const unnamed = effectiveDevice(boiler({ spec: {} }), undefined);
  assert.equal(unnamed.kind === 'incomplete' && unnamed.reason, 'DeviceModelNotNamed');
});

test('the binding grows with every change of node, also to none and back', () => {
  const { status, ...fresh } = boiler();
  assert.equal(status?.binding?.generation, 3);
  assert.deepEqual(nextBinding(fresh), { nodeName: 'edge-a', generation: 1 });
  assert.equal(nextBinding(boiler()), 'unchanged');

  const moved = boiler({ spec: { ...boiler().spec, nodeName: 'edge-b' } });
  assert.deepEqual(nextBinding(moved), { nodeName: 'edge-b', generation: 4 });

  const { nodeName, ...unbound } = boiler().spec;
  assert.equal(nodeName, 'edge-a');
  assert.deepEqual(nextBinding(boiler({ spec: unbound })), { nodeName: '', generation: 4 });
  assert.equal(nextBinding({ ...fresh, spec: unbound }), 'unchanged');
});

test('an accepted device whose status says so needs no write', () => {
  const status = acceptedStatus(boiler(), model, 0);
  const settled = boiler({ ...(status === undefined ? {} : { status }) });

  assert.equal(acceptedStatus(settled, model, 99_999), settled.status);
});

test('the condition keeps the time of its last change of status, not of its last message', () => {
  const refused = acceptedStatus(boiler(), undefined, Date.parse('2026-01-01T00:00:00Z'));
  const other = { ...boiler(), status: refused ?? {}, spec: { ...boiler().spec, deviceModelRef: { name: 'other' } } };

  const still = acceptedStatus(other, undefined, Date.parse('2026-01-02T00:00:00Z'));
  assert.equal(still?.conditions?.[0]?.lastTransitionTime, '2026-01-01T00:00:00Z');
  assert.match(still.conditions[0].message, /"other"/);

  const accepted = acceptedStatus({ ...boiler(), status: still }, model, Date.parse('2026-01-03T00:00:00Z'));
  assert.equal(accepted?.conditions?.[0]?.lastTransitionTime, '2026-01-03T00:00:00Z');
});

test('a desired value that the model does not allow stays with the hub, and the condition names its field', () => {
  const wanting = (name: string, value: string): DeviceResource => {
    const device = boiler();
    return { ...device, spec: { ...device.spec, properties: [{ name, desired: { value } }] } };
  };

  for (const [name, value, sentence] of [
    ['temp', '20', /spec\.properties\[0\]\.desired\.value: "temp" is ReadOnly/],
    ['setpoint', '96', /"setpoint" must be at most 95/],
    ['setpoint', 'hot', /"setpoint" must be an integer, not "hot"/],
  ] as const) {
    const device = wanting(name, value);
    const effective = effectiveDevice(device, model);
    assert.equal(effective.kind === 'complete' && effective.definition.properties[0]?.desired, undefined);
    const condition = acceptedStatus(device, model, 0)?.conditions?.[0];
    assert.equal(condition?.reason, 'DesiredNotAllowed');
    assert.match(condition.message, sentence);
  }
  const allowed = effectiveDevice(wanting('setpoint', '70'), model);
  assert.equal(allowed.kind === 'complete' && allowed.definition.properties[0]?.desired, '70');
});

test('how much of the history is kept is the word of the device, else that of the model; the defaults are left out', () => {
  const [temp, setpoint] = model.spec.properties ?? [];
  assert.ok(temp !== undefined && setpoint !== undefined);
  const properties = [
    { ...temp, keep: 'sampled(10s)', class: 'telemetry' },
    { ...setpoint, keep: 'last' },
  ];
  const telling = { ...model, spec: { ...model.spec, properties } };
  const kept = (own: readonly object[]): unknown => {
    const listed = [
      { name: 'temp', ...own[0] },
      { name: 'setpoint', ...own[1] },
    ];
    const effective = effectiveDevice(boiler({ spec: { ...boiler().spec, properties: listed } }), telling);
    assert.ok(effective.kind === 'complete' && effective.withheld === undefined);
    return effective.definition.properties.map(({ keep, class: chosen }) => [keep, chosen]);
  };

  assert.deepEqual(kept([]), [
    [{ sampledEvery: 10_000 }, 'telemetry'],
    ['last', undefined],
  ]);
  assert.deepEqual(
    kept([
      { keep: 'all', class: 'twin' },
      { keep: 'changes', class: 'telemetry' },
    ]),
    [
      ['all', undefined],
      [undefined, 'telemetry'],
    ],
  );
  const effective = effectiveDevice(boiler(), model);
  assert.ok(effective.kind === 'complete' && !/keep|class/.test(JSON.stringify(effective.definition)));
});

test('a word for the history that nobody knows is named, and the device is served without it', () => {
  const verdict = (property: object, modelled: object = {}): unknown => {
    const listed = [{ name: 'temp', ...property }];
    const properties = (model.spec.properties ?? []).map((one) =>
      one.name === 'temp' ? { ...one, ...modelled } : one,
    );
    const telling = { ...model, spec: { ...model.spec, properties } };
    const device = boiler({ spec: { ...boiler().spec, properties: listed } });
    assert.equal(effectiveDevice(device, telling).kind, 'complete');
    const { status, reason, message } = acceptedStatus(device, telling, 0)?.conditions?.[0] ?? assert.fail();
    return [status, reason, message];
  };

  assert.deepEqual(verdict({ keep: 'some' }), [
    'False',
    'KeepNotKnown',
    'spec.properties[0].keep: "temp" is to be kept as all, last, changes or sampled(<number><ms|s|m|h>), not "some"',
  ]);
  assert.deepEqual(verdict({}, { class: 'bulk' }), [
    'False',
    'ClassNotKnown',
    'DeviceModel "boiler-model" spec.properties[0].class: "temp" is of class twin or telemetry, not "bulk"',
  ]);
});

test('how long a device may be silent is its own word, else that of its model, and a wrong word is named', () => {
  const effective = (own: object, modelled: object) => {
    const device = boiler({ spec: { ...boiler().spec, ...own } });
    const telling = { ...model, spec: { ...model.spec, ...modelled } };
    const found = effectiveDevice(device, telling);
    return found.kind === 'complete' ? [found.definition.staleAfter, found.withheld?.message] : assert.fail();
  };

  assert.deepEqual(effective({}, {}), [undefined, undefined]);
  assert.deepEqual(effective({}, { staleAfter: '5m' }), [300_000, undefined]);
  assert.deepEqual(effective({ staleAfter: '30s' }, { staleAfter: '5m' }), [30_000, undefined]);
  const wrong = 'spec.staleAfter: a time as 30s, 5m or 1h (<number><ms|s|m|h>), not "soon"';
  assert.deepEqual(effective({ staleAfter: 'soon' }, { staleAfter: '5m' }), [300_000, wrong]);
  assert.deepEqual(effective({}, { staleAfter: 'soon' }), [undefined, `DeviceModel "boiler-model" ${wrong}`]);
});
