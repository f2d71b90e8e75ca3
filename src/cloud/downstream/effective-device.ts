// A Device and its DeviceModel → what a node needs to serve the device, or the reason why it cannot have it. Pure.
import type { DeviceDefinition, PropertyDefinition } from '../../model/device.ts';
import { checkValue } from '../../model/property-value.ts';
import { asArray, asObject, type JsonObject } from '../../wire/json.ts';
import {
  deviceIdOf,
  type DeviceBinding,
  type DeviceModelResource,
  type DeviceProperty,
  type DeviceResource,
  type ModelProperty,
  type Visitors,
} from '../kubernetes/resources.ts';
import { effectiveHistory, historyProblem } from './effective-history.ts';
import { effectiveStaleAfter, silenceProblem } from './effective-silence.ts';
import type { Problem } from './problem.ts';

export type EffectiveDevice =
  /** `withheld`: what the node does not get because it is wrong; the device is served without it. */
  | { readonly kind: 'complete'; readonly definition: DeviceDefinition; readonly withheld?: Problem }
  | ({ readonly kind: 'incomplete' } & Problem);

export function effectiveDevice(device: DeviceResource, model: DeviceModelResource | undefined): EffectiveDevice {
  const reference = device.spec.deviceModelRef?.name ?? '';
  if (reference === '')
    return incomplete('DeviceModelNotNamed', 'spec.deviceModelRef.name is empty; name the DeviceModel of this device');
  if (model === undefined)
    return incomplete(
      'DeviceModelMissing',
      `spec.deviceModelRef.name: there is no DeviceModel "${reference}" in namespace "${deviceIdOf(device).namespace}"`,
    );
  const modelled = model.spec.properties ?? [];
  const listed = device.spec.properties ?? [];
  const unknown = unknownProperty(listed, modelled, reference);
  if (unknown !== undefined) return unknown;
  // A Device may leave out properties that need nothing said about them: the model says what they are.
  const unlisted = modelled.filter(({ name }) => !listed.some((property) => property.name === name));
  const properties = [...listed, ...unlisted.map(({ name }) => ({ name }))].flatMap((property) =>
    modelled.filter(({ name }) => name === property.name).map((ofModel) => effectiveProperty(property, ofModel)),
  );
  const withheld = withheldFrom(device, model);
  return { kind: 'complete', definition: definitionOf(device, model, properties), ...present({ withheld }) };
}

function withheldFrom(device: DeviceResource, model: DeviceModelResource): Problem | undefined {
  const modelled = model.spec.properties ?? [];
  const listed = device.spec.properties ?? [];
  return (
    listed.map((property, place) => wrongWish(property, place, modelled)).find((wrong) => wrong !== undefined) ??
    historyProblem('', listed) ??
    historyProblem(`DeviceModel "${model.metadata.name}" `, modelled) ??
    silenceProblem(device, model)
  );
}

function unknownProperty(
  listed: readonly DeviceProperty[],
  modelled: readonly ModelProperty[],
  reference: string,
): EffectiveDevice | undefined {
  const place = listed.findIndex(({ name }) => !modelled.some((property) => property.name === name));
  if (place === -1) return undefined;
  const field = `spec.properties[${place}].name: "${listed[place]?.name ?? ''}"`;
  return incomplete('PropertyNotInModel', `${field} is not a property of DeviceModel "${reference}"`);
}

/**
 * The binding that the spec asks for, or `unchanged`. Its generation grows with every change of node, so that what an earlier
 * node still sends about the device is recognised as old.
 */
export function nextBinding(device: DeviceResource): DeviceBinding | 'unchanged' {
  const nodeName = device.spec.nodeName ?? '';
  const before = device.status?.binding;
  if (before === undefined) return nodeName === '' ? 'unchanged' : { nodeName, generation: 1 };
  return before.nodeName === nodeName ? 'unchanged' : { nodeName, generation: before.generation + 1 };
}

/** Why the model does not allow a property's desired value; an empty one is none. */
function wrongWish(
  { name, desired }: DeviceProperty,
  place: number,
  modelled: readonly ModelProperty[],
): Problem | undefined {
  const model = modelled.find((property) => property.name === name);
  if (model === undefined || desired === undefined || desired.value === '') return undefined;
  const wrong = refusalOf(desired.value, model);
  if (wrong === undefined) return undefined;
  return { reason: 'DesiredNotAllowed', message: `spec.properties[${place}].desired.value: "${name}" ${wrong}` };
}

function refusalOf(value: string, model: ModelProperty): string | undefined {
  if (model.accessMode === 'ReadOnly') return 'is ReadOnly in the DeviceModel; leave desired out';
  const checked = checkValue(value, limitsOf(model));
  return checked.kind === 'refused' ? checked.reason : undefined;
}

/** What the node is to know: nothing where nothing is wanted, or the wrong thing. */
function allowedWish(value: string | undefined, model: ModelProperty): string | undefined {
  if (value === undefined || value === '' || model.accessMode === 'ReadOnly') return undefined;
  const checked = checkValue(value, limitsOf(model));
  // As a node would store it: JSON that is only spaced differently must not look like another value.
  return checked.kind === 'ok' ? checked.text : undefined;
}

const limitsOf = ({
  type,
  minimum,
  maximum,
}: ModelProperty): Pick<PropertyDefinition, 'type' | 'minimum' | 'maximum'> => ({
  type,
  ...present({ minimum, maximum }),
});

function definitionOf(
  device: DeviceResource,
  model: DeviceModelResource,
  properties: readonly PropertyDefinition[],
): DeviceDefinition {
  const config = overlay(model.spec.protocolConfigData, device.spec.protocol?.configData);
  return {
    ...deviceIdOf(device),
    uid: device.metadata.uid,
    binding: device.status?.binding?.generation ?? 0,
    protocol: device.spec.protocol?.protocolName ?? model.spec.protocol ?? '',
    ...present({
      description: device.metadata.labels?.['description'],
      protocolConfig: config,
      staleAfter: effectiveStaleAfter(device, model),
    }),
    properties,
  };
}

function effectiveProperty(property: DeviceProperty, model: ModelProperty): PropertyDefinition {
  return {
    name: property.name,
    type: model.type,
    accessMode: model.accessMode === 'ReadOnly' ? 'ReadOnly' : 'ReadWrite',
    ...present({
      minimum: model.minimum,
      maximum: model.maximum,
      unit: model.unit,
      desired: allowedWish(property.desired?.value, model),
      visitors: effectiveVisitors(property.visitors, model.visitors),
      collectCycle: property.collectCycle,
      reportCycle: property.reportCycle,
    }),
    ...effectiveHistory(property, model),
  };
}

/** KubeEdge's rule: the model's visitors are defaults, overlaid key by key by the device's. */
function effectiveVisitors(own: Visitors | undefined, model: Visitors | undefined): Visitors | undefined {
  if (own === undefined && model === undefined) return undefined;
  return present({
    protocolName: own?.protocolName ?? model?.protocolName,
    configData: overlay(model?.configData, own?.configData),
  });
}

function overlay(below: JsonObject | undefined, above: JsonObject | undefined): JsonObject | undefined {
  if (below === undefined && above === undefined) return undefined;
  return sorted({ ...below, ...above }) as JsonObject;
}

/** In one order of keys, so that equal definitions are equal bytes, whoever wrote the object. */
function sorted(value: unknown): unknown {
  const list = asArray(value);
  if (list !== undefined) return list.map(sorted);
  const object = asObject(value);
  if (object === undefined) return value;
  return Object.fromEntries(
    Object.keys(object)
      .sort()
      .map((key) => [key, sorted(object[key])]),
  );
}

type Present<T> = { [K in keyof T]?: Exclude<T[K], undefined> };

function present<T extends object>(fields: T): Present<T> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as Present<T>;
}

const incomplete = (reason: string, message: string): EffectiveDevice => ({ kind: 'incomplete', reason, message });
