// Ten minutes of `skerry chaos`, as anybody would run it. MINUTES shortens it, SEED repeats the moves.
import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import type { ChaosReport } from '../../src/cli/chaos/chaos-report.ts';
import { runProgram } from '../support/program.ts';

const { MINUTES = '10', SEED } = process.env;
const COMMON = ['--for', `${MINUTES}m`, '--rate', '500', '--kill', 'edge,hub,nats', '--every', '2s'];

async function chaos(t: TestContext, more: readonly string[]): Promise<ChaosReport> {
  const seed = SEED === undefined ? [] : ['--seed', SEED];

  const { code, stdout, stderr } = await runProgram(['chaos', ...COMMON, ...more, ...seed, '--output', 'json']);

  const last = stdout.trimEnd().split('\n').at(-1) ?? '';
  t.diagnostic(last);
  assert.equal(code, 0, `${last}\n${stderr}`);
  const report = JSON.parse(last) as ChaosReport;
  const { lost, doubled, disordered, acknowledged, kills } = report;
  assert.deepEqual({ lost, doubled, disordered }, { lost: 0, doubled: 0, disordered: 0 });
  // Enough to say something; how many more get through depends on the machine and on what else it does.
  assert.ok(acknowledged > Number(MINUTES) * 60 * 100, `only ${acknowledged} were acknowledged at all`);
  assert.ok(Math.min(kills.edge, kills.hub, kills.nats) > Number(MINUTES) * 4, JSON.stringify(kills));
  return report;
}

test('ten minutes at 500/s with edge, hub or nats killed every two seconds: nothing lost, doubled or disordered', async (t) => {
  await chaos(t, []);
});

test('the same with links cut, acknowledgements dropped, and a duplicate window of two seconds', async (t) => {
  const { partitions, droppedAcks } = await chaos(t, [
    ...['--partition', '10s', '--drop-acks', '5%', '--duplicate-window', '2s'],
  ]);

  assert.ok(partitions > Number(MINUTES) && droppedAcks > 100, `${partitions} cuts, ${droppedAcks} dropped`);
});
