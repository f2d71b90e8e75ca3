// The pieces of bench/broker, run briefly: what they count is asserted, never how fast it was.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { startAedes, startRelay, type RunningBroker } from '../../../bench/broker/brokers.ts';
import { Generator } from '../../../bench/broker/generator-process.ts';
import type { Load } from '../../../bench/broker/job.ts';

const BRIEF = { warmUpMs: 20, saturatedMs: 200, pace: 100, pacedMs: 100, window: 5, size: 100 };

let generator: Generator;
let relay: RunningBroker;
let aedes: RunningBroker;

before(async () => {
  generator = new Generator();
  relay = await startRelay('');
  aedes = await startAedes('');
});

after(async () => {
  generator.stop();
  await Promise.all([relay.stop(), aedes.stop()]);
});

const loads: readonly (readonly [string, Load])[] = [
  ['fan-in at QoS 0', { ...BRIEF, publishers: 3, subscribers: 1, qos: 0, clean: true }],
  ['fan-in at QoS 1', { ...BRIEF, publishers: 3, subscribers: 1, qos: 1, clean: true }],
  ['fan-in at QoS 2', { ...BRIEF, publishers: 3, subscribers: 1, qos: 2, clean: true }],
  ['fan-out to kept sessions', { ...BRIEF, publishers: 1, subscribers: 5, qos: 1, clean: false, size: 1024 }],
];

for (const [name, load] of loads) {
  for (const server of ['a relay', 'Aedes'] as const) {
    test(`the generator gets every message of ${name} back from ${server}, and measures it`, async () => {
      const result = await generator.run(load, server === 'Aedes' ? aedes : relay);
      assert.equal(result.missing, 0);
      assert.ok(result.messagesPerSecond > 0);
      assert.ok(result.p50 > 0 && result.p99 >= result.p50);
    });
  }
}
