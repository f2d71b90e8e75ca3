// Every behaviour, asked of our broker and of Mosquitto. Both do what the clause says, or the behaviour names the difference and why;
// one that nobody explained fails, and so does an explanation whose difference is gone.
import assert from 'node:assert/strict';
import { after, suite, test } from 'node:test';
import { Stage, type Behaviour } from './behaviour.ts';
import { BEHAVIOURS } from './behaviours.ts';
import { startMosquitto, startOurs, type BrokerUnderTest } from './brokers.ts';
import { lineOf } from './table.ts';

const AT_ONCE = 8;

async function ask(behaviour: Behaviour, start: () => Promise<BrokerUnderTest>): Promise<string> {
  await using broker = await start();
  using stage = new Stage(broker);
  return await behaviour.play(stage);
}

suite('MQTT 3.1.1', { concurrency: AT_ONCE }, () => {
  const all = Object.values(BEHAVIOURS).flat();
  const lines = new Map<Behaviour, string>();
  for (const behaviour of all)
    test(`${behaviour.clause}: ${behaviour.title}`, async () => {
      const { expected } = behaviour;
      const [ours, mosquitto] = await Promise.all([ask(behaviour, startOurs), ask(behaviour, startMosquitto)]);
      lines.set(behaviour, lineOf(behaviour, { ours, mosquitto }));
      assert.deepEqual(
        { ours, mosquitto },
        { ours: behaviour.ours?.seen ?? expected, mosquitto: behaviour.mosquitto?.seen ?? expected },
      );
    });
  after(() => {
    console.log(
      ['clause | behaviour | ours | Mosquitto | why not', ...all.map((one) => lines.get(one) ?? '')].join('\n'),
    );
  });
});
