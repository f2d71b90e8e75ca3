import fc from 'fast-check';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { matchesFilter } from '../../../../broker/filter-tree.ts';
import { KeptSubscriptions } from '../../../../broker/sessions/kept-subscriptions.ts';

const name = fc.constantFrom('a', 'b', '', '$x');
const topic = fc.array(name, { minLength: 1, maxLength: 4 }).map((levels) => levels.join('/'));
const filter = fc
  .tuple(fc.array(fc.oneof(name, fc.constant('+')), { maxLength: 3 }), fc.oneof(name, fc.constantFrom('+', '#')))
  .map(([levels, last]) => [...levels, last].join('/'));
const client = fc.constantFrom('one', 'two', 'three');
const step = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constant('add' as const),
      client,
      filter,
      qos: fc.constantFrom(0 as const, 1 as const, 2 as const),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('remove' as const), client, filter }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('removeAll' as const), client }) },
);

void test('what matches a topic is what each filter by itself says, whatever came and went', () => {
  fc.assert(
    fc.property(
      fc.array(step, { maxLength: 60 }),
      fc.array(topic, { minLength: 1, maxLength: 10 }),
      (steps, topics) => {
        const kept = new KeptSubscriptions();
        const model = new Map<string, { clientId: string; topic: string; qos: 0 | 1 | 2 }>();
        for (const one of steps) {
          if (one.do === 'add') {
            kept.add(one.client, [{ topic: one.filter, qos: one.qos }]);
            model.set(`${one.client} ${one.filter}`, { clientId: one.client, topic: one.filter, qos: one.qos });
          } else if (one.do === 'remove') {
            kept.remove(one.client, [one.filter]);
            model.delete(`${one.client} ${one.filter}`);
          } else {
            kept.removeAll(one.client);
            for (const [key, { clientId }] of model) if (clientId === one.client) model.delete(key);
          }
        }
        const queued = [...model.values()].filter(({ qos }) => qos > 0);
        assert.deepEqual(kept.counts, {
          subsCount: queued.length,
          clientsCount: new Set([...model.values()].map(({ clientId }) => clientId)).size,
        });
        for (const wanted of topics) {
          const text = (one: { clientId: string; topic: string; qos: number }): string =>
            `${one.clientId} ${one.topic} ${one.qos}`;
          const expected = queued.filter((one) => matchesFilter(one.topic, wanted)).map(text);
          assert.deepEqual(kept.matching(wanted).map(text).sort(), expected.sort(), wanted);
        }
      },
    ),
  );
});
