import fc from 'fast-check';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Audience } from '../../../broker/audience.ts';
import { matchesFilter } from '../../../broker/filter-tree.ts';

const name = fc.constantFrom('a', 'ab', '', '$x');
const topic = fc.array(name, { minLength: 1, maxLength: 4 }).map((levels) => levels.join('/'));
const filter = fc
  .tuple(fc.array(fc.oneof(name, fc.constant('+')), { maxLength: 3 }), fc.oneof(name, fc.constantFrom('+', '#')))
  .map(([levels, last]) => [...levels, last].join('/'));
const client = fc.constantFrom('one', 'two');
const qos = fc.constantFrom(0 as const, 1 as const, 2 as const);
const step = fc.oneof(
  fc.record({ do: fc.constant('listen' as const), filter }),
  fc.record({ do: fc.constant('leave' as const), filter }),
  fc.record({ do: fc.constant('keep' as const), client, filter, qos }),
  fc.record({ do: fc.constant('drop' as const), client, filter }),
  fc.record({ do: fc.constant('ask' as const), topic }),
);

/** MQTT 3.1.1, 4.7, word by word. */
function matches(wanted: string, asked: string): boolean {
  if (asked.startsWith('$') && /^[+#]/.test(wanted)) return false;
  const levels = asked.split('/');
  const filters = wanted.split('/');
  const deepest = filters.at(-1) === '#' ? levels.slice(0, filters.length - 1) : levels;
  const named = filters.filter((level) => level !== '#');
  return named.length === deepest.length && named.every((level, at) => level === '+' || level === deepest[at]);
}

void test('a filter by itself matches what the standard says', () => {
  fc.assert(
    fc.property(filter, topic, (wanted, asked) => assert.equal(matchesFilter(wanted, asked), matches(wanted, asked))),
    { numRuns: 1000 },
  );
});

void test('who hears and who keeps a topic is what each filter by itself says, whatever came and went', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), fc.array(topic, { maxLength: 8 }), (steps, topics) => {
      const audience = new Audience();
      const live: string[] = [];
      const kept = new Map<string, { client: string; filter: string; qos: 0 | 1 | 2 }>();
      const check = (asked: string): void => {
        const found = [...kept.values()].filter((one) => one.qos > 0 && matches(one.filter, asked));
        assert.equal(audience.keeps(asked), found.length > 0);
        assert.equal(audience.hears(asked), found.length > 0 || live.some((one) => matches(one, asked)));
        for (const id of ['one', 'two']) {
          const granted = found.filter((one) => one.client === id).map((one) => one.qos);
          assert.equal(audience.grants(id, asked), Math.max(0, ...granted));
        }
      };
      for (const one of steps) {
        if (one.do === 'ask') check(one.topic);
        else if (one.do === 'listen') {
          audience.listen(one.filter);
          live.push(one.filter);
        } else if (one.do === 'leave') {
          const at = live.indexOf(one.filter);
          if (at >= 0) live.splice(at, 1);
          audience.leave(one.filter);
        } else if (one.do === 'keep') {
          audience.keep(one.client, [{ topic: one.filter, qos: one.qos }]);
          kept.set(`${one.client} ${one.filter}`, one);
        } else {
          audience.drop(one.client, [one.filter]);
          kept.delete(`${one.client} ${one.filter}`);
        }
      }
      topics.forEach(check);
    }),
  );
});
