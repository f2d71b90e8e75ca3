// `labelSelector` in all its forms: `a=b`, `a==b`, `a!=b`, `a in (b,c)`, `a notin (b)`, `a`, `!a`; commas mean "and".
import { badRequest } from '../status.ts';

export interface LabelRequirement {
  readonly key: string;
  readonly operator: 'in' | 'notin' | 'exists' | 'absent';
  readonly values: readonly string[];
}

export type Labels = Readonly<Record<string, string>>;

const FORMS: readonly [RegExp, (match: readonly string[]) => LabelRequirement][] = [
  [/^(\S+)\s+(in|notin)\s*\(([^)]*)\)$/, ([, key = '', operator, set = '']) => setRequirement(key, operator, set)],
  [/^!\s*(\S+)$/, ([, key = '']) => ({ key, operator: 'absent', values: [] })],
  [/^([^\s!=]+)\s*!=\s*(\S*)$/, ([, key = '', value = '']) => ({ key, operator: 'notin', values: [value] })],
  [/^([^\s!=]+)\s*==?\s*(\S*)$/, ([, key = '', value = '']) => ({ key, operator: 'in', values: [value] })],
  [/^([^\s!=()]+)$/, ([, key = '']) => ({ key, operator: 'exists', values: [] })],
];

const LABEL_KEY = /^([a-z0-9]([-a-z0-9.]*[a-z0-9])?\/)?[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?$/;

export function parseLabelSelector(text: string): readonly LabelRequirement[] {
  return splitOutsideParentheses(text)
    .map((part) => part.trim())
    .filter((part) => part !== '')
    .map(parseRequirement);
}

/** `notin` and `!=` also match objects that lack the label, as in Kubernetes. */
export function matchesLabels(requirements: readonly LabelRequirement[], labels: Labels): boolean {
  return requirements.every(({ key, operator, values }) => {
    const value = Object.hasOwn(labels, key) ? labels[key] : undefined;
    switch (operator) {
      case 'in':
        return value !== undefined && values.includes(value);
      case 'notin':
        return value === undefined || !values.includes(value);
      case 'exists':
        return value !== undefined;
      case 'absent':
        return value === undefined;
    }
  });
}

function parseRequirement(part: string): LabelRequirement {
  for (const [form, build] of FORMS) {
    const match = form.exec(part);
    if (match === null) continue;
    const requirement = build(match);
    if (LABEL_KEY.test(requirement.key)) return requirement;
  }
  throw badRequest(`unable to parse requirement: ${JSON.stringify(part)} is not a label selector`);
}

function setRequirement(key: string, operator: string | undefined, set: string): LabelRequirement {
  const values = set.split(',').map((value) => value.trim());
  return { key, operator: operator === 'notin' ? 'notin' : 'in', values };
}

function splitOutsideParentheses(text: string): readonly string[] {
  return text.match(/(?:[^,(]|\([^)]*\)?)+/g) ?? [];
}
