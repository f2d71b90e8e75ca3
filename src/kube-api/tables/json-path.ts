// The JSONPath that printer columns use: `.a.b`, `['a.b']`, `[0]`, `[*]`, `[?(@.type=="Ready")]`. A path is read once into steps.
import { isList, isObject, listOf, objectOf, valueAt, type Json } from '../json.ts';

type Step =
  | { readonly kind: 'member'; readonly name: string }
  | { readonly kind: 'item'; readonly index: number }
  | { readonly kind: 'all' }
  | { readonly kind: 'filter'; readonly path: readonly string[]; readonly operator: string; readonly value: Json };

export type JsonPath = (value: Json) => readonly Json[];

const STEP =
  /\.?\[\?\(\s*@\.([\w.\-/]+)\s*(==|!=)\s*("[^"]*"|'[^']*'|[\w.-]+)\s*\)\]|\.?\['((?:[^'\\]|\\.)*)'\]|\.?\["((?:[^"\\]|\\.)*)"\]|\.?\[(-?\d+)\]|\.?(\[\*\]|\*)|\.((?:[^.[\]\\]|\\.)+)/y;

/** The function that finds a path's values, or `undefined` when the path is not of this form. */
export function parseJsonPath(path: string): JsonPath | undefined {
  const steps = stepsOf(path.replace(/^\{(.*)\}$/s, '$1').replace(/^\$/, ''));
  if (steps === undefined) return undefined;
  return (value) =>
    steps.reduce<readonly Json[]>((found, step) => found.flatMap((each) => follow(step, each)), [value]);
}

function stepsOf(path: string): readonly Step[] | undefined {
  const steps: Step[] = [];
  for (let at = 0; at < path.length;) {
    STEP.lastIndex = at;
    const match = STEP.exec(path);
    if (match === null) return undefined;
    steps.push(stepOf(match));
    at = STEP.lastIndex;
  }
  return steps;
}

function stepOf([, path, operator = '', value = '', single, double, index, all, name = '']: readonly (
  string | undefined
)[]): Step {
  if (path !== undefined) return { kind: 'filter', path: path.split('.'), operator, value: literal(value) };
  if (all !== undefined) return { kind: 'all' };
  if (index !== undefined) return { kind: 'item', index: Number(index) };
  return { kind: 'member', name: (single ?? double ?? name).replace(/\\(.)/g, '$1') };
}

function literal(text: string): Json {
  if (/^["']/.test(text)) return text.slice(1, -1);
  if (text === 'true' || text === 'false') return text === 'true';
  return Number.isNaN(Number(text)) ? text : Number(text);
}

function follow(step: Step, value: Json): readonly Json[] {
  switch (step.kind) {
    case 'member':
      return present(isObject(value) && Object.hasOwn(value, step.name) ? value[step.name] : undefined);
    case 'item':
      return present(isList(value) ? value.at(step.index) : undefined);
    case 'all':
      return isList(value) ? value : Object.values(objectOf(value)).flatMap(present);
    case 'filter':
      return listOf(value).filter((item) => passes(step, item));
  }
}

const passes = ({ path, operator, value }: Step & { kind: 'filter' }, item: Json): boolean =>
  (valueAt(item, path) === value) === (operator === '==');

const present = (value: Json | undefined): readonly Json[] => (value === undefined ? [] : [value]);
