// What the hub writes for a node into the desired bucket: device definitions, and the index that says which of them count.
import type { DeviceDefinition, PropertyDefinition } from '../model/device.ts';
import { propertyTypeNamed } from '../model/property-value.ts';
import { asArray, asInteger, asObject, asString, parseJson, type JsonObject } from './json.ts';

/**
 * The truth about what a node should hold: every key and the fingerprint of its value. `bucket` changes when the bucket was made
 * anew; `generation` grows with every change of the index.
 */
export interface DesiredIndex {
  readonly bucket: string;
  readonly generation: number;
  readonly keys: Readonly<Record<string, string>>;
}

/** Deterministic, so that equal definitions are equal bytes. */
export function encodeDefinition(definition: DeviceDefinition): Uint8Array {
  return Buffer.from(JSON.stringify(definition));
}

export function decodeDefinition(payload: Uint8Array): DeviceDefinition | undefined {
  const raw = asObject(parseJson(payload)) ?? {};
  const namespace = asString(raw['namespace']);
  const name = asString(raw['name']);
  const uid = asString(raw['uid']);
  const binding = asInteger(raw['binding']);
  const properties = asArray(raw['properties'])?.map(decodeProperty);
  if (namespace === undefined || name === undefined || uid === undefined || binding === undefined) return undefined;
  if (properties === undefined || !properties.every((property) => property !== undefined)) return undefined;
  return { ...optional(raw), namespace, name, uid, binding, protocol: asString(raw['protocol']) ?? '', properties };
}

function optional(raw: JsonObject): Pick<DeviceDefinition, 'description' | 'protocolConfig' | 'staleAfter'> {
  const description = asString(raw['description']);
  const staleAfter = asInteger(raw['staleAfter']) ?? 0;
  return {
    ...(staleAfter > 0 ? { staleAfter } : {}),
    ...(description === undefined ? {} : { description }),
    ...(raw['protocolConfig'] === undefined ? {} : { protocolConfig: raw['protocolConfig'] }),
  };
}

function decodeProperty(raw: unknown): PropertyDefinition | undefined {
  const object = asObject(raw) ?? {};
  const name = asString(object['name']);
  const type = propertyTypeNamed(asString(object['type']) ?? '');
  if (name === undefined || type === undefined) return undefined;
  const { keep, class: chosen, ...rest } = object;
  return {
    ...rest,
    name,
    type,
    accessMode: object['accessMode'] === 'ReadOnly' ? 'ReadOnly' : 'ReadWrite',
    ...decodeKeep(keep),
    ...(chosen === 'telemetry' ? { class: chosen } : {}),
  };
}

/** A word that only newer nodes know is left out: the device is served with the default. */
function decodeKeep(raw: unknown): Pick<PropertyDefinition, 'keep'> {
  if (raw === 'all' || raw === 'last' || raw === 'changes') return { keep: raw };
  const sampledEvery = asInteger(asObject(raw)?.['sampledEvery']);
  return sampledEvery === undefined || sampledEvery <= 0 ? {} : { keep: { sampledEvery } };
}

export function encodeIndex(index: DesiredIndex): Uint8Array {
  return Buffer.from(JSON.stringify(index));
}

export function decodeIndex(payload: Uint8Array): DesiredIndex | undefined {
  const raw = asObject(parseJson(payload)) ?? {};
  const bucket = asString(raw['bucket']);
  const generation = asInteger(raw['generation']);
  const keys = asObject(raw['keys']);
  if (bucket === undefined || generation === undefined || keys === undefined) return undefined;
  if (!Object.values(keys).every((fingerprint) => typeof fingerprint === 'string')) return undefined;
  return { bucket, generation, keys: keys as Record<string, string> };
}
