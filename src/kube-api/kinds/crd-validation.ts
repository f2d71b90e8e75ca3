// What makes a CustomResourceDefinition malformed beyond its own schema, with the field that is at fault.
import { isObject, listOf, objectOf, textOf, type Json, type JsonObject, type KubeObject } from '../json.ts';
import { problemsOfName } from '../rules/names.ts';
import { invalidValue, required } from '../schema/causes.ts';
import type { StatusCause } from '../status.ts';
import { parseJsonPath } from '../tables/json-path.ts';
import { crdGroup, crdNames, crdVersions, specOf } from './crd.ts';
import { structuralCauses } from './structural-schema.ts';

export function crdCauses(crd: KubeObject): readonly StatusCause[] {
  const versions = crdVersions(crd);
  return [
    ...nameCauses(crd),
    ...versionSetCauses(versions),
    ...conversionCauses(crd),
    ...versions.flatMap(versionCauses),
  ];
}

/** What a definition asks for and does not get here. */
export function crdWarnings(crd: KubeObject): readonly string[] {
  const asksForRules = JSON.stringify(crdVersions(crd)).includes('"x-kubernetes-validations"');
  return asksForRules ? ['x-kubernetes-validations are stored, but this server does not evaluate them'] : [];
}

function nameCauses(crd: KubeObject): readonly StatusCause[] {
  const { plural, kind } = crdNames(crd);
  const group = crdGroup(crd);
  const wanted = `${plural}.${group}`;
  return [
    ...problemsOfName('subdomain', group).map((problem) => invalidValue('spec.group', group, problem)),
    ...(group.includes('.') ? [] : [invalidValue('spec.group', group, 'should be a domain with at least one dot')]),
    ...problemsOfName('label', plural).map((problem) => invalidValue('spec.names.plural', plural, problem)),
    ...problemsOfName('label', kind.toLowerCase()).map((problem) => invalidValue('spec.names.kind', kind, problem)),
    ...(crd.metadata.name === wanted
      ? []
      : [invalidValue('metadata.name', crd.metadata.name, 'must be spec.names.plural+"."+spec.group')]),
  ];
}

function versionSetCauses(versions: readonly JsonObject[]): readonly StatusCause[] {
  if (versions.length === 0) return [required('spec.versions', 'must have at least one version')];
  const names = versions.map((version) => textOf(version['name']));
  const stored = versions.filter((version) => version['storage'] === true);
  return [
    ...(stored.length === 1
      ? []
      : [invalidValue('spec.versions', names, 'must have exactly one version marked as storage version')]),
    ...(new Set(names).size === names.length
      ? []
      : [invalidValue('spec.versions', names, 'must contain unique version names')]),
  ];
}

function conversionCauses(crd: KubeObject): readonly StatusCause[] {
  const strategy = textOf(objectOf(specOf(crd)['conversion'])['strategy']) || 'None';
  if (strategy === 'None') return [];
  return [invalidValue('spec.conversion.strategy', strategy, 'this server only serves the strategy None')];
}

function versionCauses(version: JsonObject, index: number): readonly StatusCause[] {
  const path = `spec.versions[${index}]`;
  const name = textOf(version['name']);
  return [
    ...problemsOfName('label', name).map((problem) => invalidValue(`${path}.name`, name, problem)),
    ...schemaCauses(objectOf(version['schema'])['openAPIV3Schema'], `${path}.schema.openAPIV3Schema`),
    ...listOf(version['additionalPrinterColumns']).flatMap((column, at) =>
      columnCauses(objectOf(column), `${path}.additionalPrinterColumns[${at}]`),
    ),
  ];
}

function schemaCauses(schema: Json | undefined, path: string): readonly StatusCause[] {
  if (!isObject(schema)) return [required(path, 'schemas are required')];
  if (schema['type'] !== 'object')
    return [invalidValue(`${path}.type`, schema['type'] ?? '', 'must be object at the root')];
  return structuralCauses(schema, path);
}

function columnCauses(column: JsonObject, path: string): readonly StatusCause[] {
  const jsonPath = textOf(column['jsonPath']);
  if (parseJsonPath(jsonPath) !== undefined && /^[.[{]/.test(jsonPath)) return [];
  return [invalidValue(`${path}.jsonPath`, jsonPath, 'must be a simple json path starting with .')];
}
