import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { matchesFields, parseFieldSelector } from '../../../../../src/kube-api/rules/field-selector.ts';
import { matchesLabels, parseLabelSelector } from '../../../../../src/kube-api/rules/label-selector.ts';

const selects = (selector: string, labels: Record<string, string>): boolean =>
  matchesLabels(parseLabelSelector(selector), labels);
const label = fc.stringMatching(/^[a-z]([a-z0-9-]{0,6}[a-z0-9])?$/);

test('every operator of label selectors selects what Kubernetes selects', () => {
  const labels = { site: 'north', 'example.com/tier': 'gold' };

  for (const selector of [
    'site=north',
    'site==north',
    'site!=south',
    'site in (north, south)',
    'site',
    '!other',
    'other!=x',
    'other notin (x)',
    'example.com/tier=gold,site',
    '',
  ]) {
    assert.equal(selects(selector, labels), true, selector);
  }
  for (const selector of [
    'site=south',
    'site!=north',
    'site notin (north)',
    '!site',
    'other',
    'other in (x)',
    'site=north,other=x',
  ]) {
    assert.equal(selects(selector, labels), false, selector);
  }
});

test('what is no selector is refused', () => {
  for (const selector of ['=a', 'a in b', 'a=b=c d', 'a in (b', '!!a', 'A/B/c=d']) {
    assert.throws(() => parseLabelSelector(selector), { reason: 'BadRequest' }, selector);
  }
});

test('a selector and its opposite never agree', () => {
  fc.assert(
    fc.property(label, label, fc.dictionary(label, label), (key, value, labels) => {
      assert.notEqual(selects(`${key}=${value}`, labels), selects(`${key}!=${value}`, labels));
      assert.notEqual(selects(key, labels), selects(`!${key}`, labels));
      assert.notEqual(selects(`${key} in (${value},x)`, labels), selects(`${key} notin (x,${value})`, labels));
    }),
  );
});

test('field selectors compare as text, with all three operators, and refuse other fields', () => {
  const fields = { 'spec.nodeName': 'n1', 'status.phase': '' };
  const matches = (selector: string): boolean =>
    matchesFields(parseFieldSelector(selector, Object.keys(fields)), fields);

  assert.ok(matches('spec.nodeName=n1,status.phase!=Failed,status.phase='));
  assert.ok(matches('spec.nodeName==n1'));
  assert.ok(!matches('spec.nodeName!=n1'));
  assert.throws(() => matches('spec.other=1'), { message: 'field label not supported: spec.other' });
  assert.throws(() => matches('spec.nodeName'), { reason: 'BadRequest' });
});
