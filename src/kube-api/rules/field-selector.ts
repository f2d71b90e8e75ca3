// `fieldSelector`: `metadata.name=a,status.phase!=Failed`. Which fields a kind offers is part of the kind.
import { badRequest } from '../status.ts';

export interface FieldRequirement {
  readonly path: string;
  readonly equals: boolean;
  readonly value: string;
}

export type Fields = Readonly<Record<string, string>>;

export function parseFieldSelector(text: string, offered: readonly string[]): readonly FieldRequirement[] {
  return text
    .split(/(?<!\\),/)
    .filter((part) => part !== '')
    .map((part) => parseRequirement(part, offered));
}

export function matchesFields(requirements: readonly FieldRequirement[], fields: Fields): boolean {
  return requirements.every(({ path, equals, value }) => (fields[path] === value) === equals);
}

function parseRequirement(part: string, offered: readonly string[]): FieldRequirement {
  const match = /^([^=!]+?)(==|!=|=)(.*)$/s.exec(part);
  if (match === null) throw badRequest(`invalid selector: ${JSON.stringify(part)}; can't understand it`);
  const [, path = '', operator, value = ''] = match;
  if (!offered.includes(path)) throw badRequest(`field label not supported: ${path}`);
  return { path, equals: operator !== '!=', value: value.replace(/\\([\\,=])/g, '$1') };
}
