import assert from 'node:assert/strict';
import { test } from 'node:test';
import { exposition, Tally, type Metric } from '../../../../src/kit/metrics.ts';

const gauge = (samples: ReturnType<Metric['read']>): Metric => ({
  ...{ name: 'skerry_a_b', type: 'gauge', help: 'What it is.' },
  read: () => samples,
});

void test('a metric is its help, its type and its samples, each on a line', () => {
  const text = exposition([
    gauge([{ value: 3 }]),
    {
      ...{ name: 'skerry_c_seconds', type: 'summary', help: 'Two\nlines.' },
      read: () => [
        { part: 'sum', value: 0.25 },
        { part: 'count', value: 2 },
      ],
    },
  ]);

  assert.equal(
    text,
    '# HELP skerry_a_b What it is.\n# TYPE skerry_a_b gauge\nskerry_a_b 3\n' +
      '# HELP skerry_c_seconds Two\\nlines.\n# TYPE skerry_c_seconds summary\n' +
      'skerry_c_seconds_sum 0.25\nskerry_c_seconds_count 2\n',
  );
});

void test('labels are written in their order, with what would end them escaped', () => {
  const text = exposition([gauge([{ labels: { class: 'twin', note: 'a "b"\\\n' }, value: 1 }])]);

  assert.match(text, /^skerry_a_b\{class="twin",note="a \\"b\\"\\\\\\n"\} 1$/m);
});

void test('numbers that are none are written as the format wants them', () => {
  const values = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 1e21, 0.1];

  const text = exposition([gauge(values.map((value) => ({ value })))]);

  assert.deepEqual(
    text
      .trim()
      .split('\n')
      .slice(2)
      .map((line) => line.replace('skerry_a_b ', '')),
    ['NaN', '+Inf', '-Inf', '1e+21', '0.1'],
  );
});

void test('a tally shows every kind from the start', () => {
  const tally = new Tally(['good', 'bad']);
  tally.add('bad');

  assert.deepEqual(tally.counts, { good: 0, bad: 1 });
});
