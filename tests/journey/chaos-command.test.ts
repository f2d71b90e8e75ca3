// `skerry chaos` as a judge: a site that keeps its word under everything at once passes, one whose stream was touched does not.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { connect, type NatsConnection } from 'nats';
import { fullAccess } from '../../src/cloud/full-access.ts';
import { connectionOptions } from '../../src/nats/connection-options.ts';
import type { ChaosReport } from '../../src/cli/chaos/chaos-report.ts';
import { asObject, parseJson, type JsonObject } from '../../src/wire/json.ts';
import { processesNaming } from '../support/processes.ts';
import { runProgram } from '../support/program.ts';
import { tempDir } from '../support/temp-dir.ts';
import { waitUntil } from '../support/wait-until.ts';

const LINES = ['--output', 'json'];

function reportOf(lines: readonly JsonObject[]): ChaosReport {
  const last = lines.at(-1);
  assert.ok(last !== undefined && 'acknowledged' in last && 'lost' in last, `the last line is ${JSON.stringify(last)}`);
  return last as unknown as ChaosReport;
}

const linesOf = (stdout: string): JsonObject[] =>
  stdout
    .trimEnd()
    .split('\n')
    .map((line) => asObject(parseJson(line)) ?? {});

/** A run that can be watched, and asked to stop. */
function startChaos(args: readonly string[]) {
  const child = spawn(process.execPath, ['dist/bundle/skerry.js', 'chaos', ...args, ...LINES], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const lines: JsonObject[] = [];
  let stderr = '';
  createInterface({ input: child.stdout }).on('line', (line) => lines.push(asObject(parseJson(line)) ?? {}));
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  const closed = once(child, 'close');
  const ended = async (): Promise<number | null> => {
    await closed;
    return child.exitCode;
  };
  const hasAcknowledged = (count: number): Promise<unknown> =>
    waitUntil(
      `${count} acknowledged publications`,
      () => {
        if (child.exitCode !== null) throw new Error(`it ended: ${stderr}`);
        return lines.some(({ event, acknowledged }) => event === 'progress' && Number(acknowledged) >= count);
      },
      30_000,
    );
  return { child, lines, ended, hasAcknowledged, stderr: () => stderr };
}

test('half a minute of kills, cuts and dropped acknowledgements loses, doubles and disorders nothing', async (t) => {
  const faults = [
    '--for',
    '20s',
    '--every',
    '2s',
    '--partition',
    '4s',
    '--drop-acks',
    '5%',
    '--duplicate-window',
    '2s',
  ];

  const { code, stdout, stderr } = await runProgram(['chaos', ...faults, '--rate', '500', ...LINES]);

  const lines = linesOf(stdout);
  t.diagnostic(JSON.stringify(lines.at(-1)));
  const { acknowledged, lost, doubled, disordered, kills, partitions, droppedAcks } = reportOf(lines);
  assert.deepEqual({ lost, doubled, disordered, code }, { lost: 0, doubled: 0, disordered: 0, code: 0 }, stderr);
  assert.ok(acknowledged > 1000 && partitions > 0 && droppedAcks > 0, `${acknowledged} ${partitions} ${droppedAcks}`);
  assert.ok(kills.edge + kills.hub + kills.nats >= 5, JSON.stringify(kills));
  const { dataDir } = lines.find(({ event }) => event === 'started') ?? {};
  assert.equal(existsSync(String(dataDir)), false, 'the temporary folder was left behind');
  assert.deepEqual(processesNaming(String(dataDir)), [], 'processes left behind');
});

async function hubConnection(dir: string, url: string): Promise<NatsConnection> {
  return connect(connectionOptions(await fullAccess(join(dir, 'hub'), url), undefined));
}

test('a message that goes missing in the stream, and one that is there twice, are found and told by the exit code', async () => {
  await using dir = await tempDir();
  const data = join(dir.path, 'run');
  const run = startChaos(['--data-dir', data, '--for', '8s', '--kill', 'none', '--devices', '2', '--rate', '100']);
  await run.hasAcknowledged(100);
  const nats = await hubConnection(data, String(run.lines.find(({ event }) => event === 'started')?.['nats']));
  const manager = await nats.jetstreamManager();

  await waitUntil(
    'twenty messages in the stream',
    async () => (await manager.streams.info('skerry-up')).state.last_seq >= 20,
  );
  await manager.streams.deleteMessage('skerry-up', 10);
  const { data: again } = await manager.streams.getMessage('skerry-up', { seq: 20 });
  // On another chain, so that it disturbs no edge node.
  await nats.jetstream().publish('skerry.edge-1.up.event.default.somebody', again);
  await nats.close();

  assert.equal(await run.ended(), 1);
  const { lost, doubled, disordered, stale, backwards, examples, seed } = reportOf(run.lines);
  assert.ok(lost > 0 && doubled > 0, JSON.stringify({ lost, doubled }));
  assert.deepEqual({ disordered, stale, backwards }, { disordered: 0, stale: 0, backwards: 0 });
  assert.ok(
    examples.some((sentence) => /^edge-1-\d: \d+ was acknowledged and is not there$/.test(sentence)),
    examples.join('\n'),
  );
  assert.ok(existsSync(join(data, 'logs', 'edge-1.log')), 'what happened is kept');
  assert.match(run.stderr(), new RegExp(`everything is kept in ${data}`));
  assert.ok(run.lines.some(({ text }) => String(text).includes(`--seed ${seed}`)));
  assert.deepEqual(processesNaming(dir.path), []);
});

function pidOfEdge(dir: string): number {
  const [line] = processesNaming(dir).filter((each) => each.includes(' edge --data-dir '));
  return Number(line?.split(' ', 1)[0]);
}

test('asked to stop, it drains and judges what there was; asked again, it ends at once and leaves no process behind', async () => {
  await using dir = await tempDir();
  const early = startChaos(['--data-dir', join(dir.path, 'early'), '--for', '10m', '--devices', '2', '--rate', '50']);
  await early.hasAcknowledged(20);
  early.child.kill('SIGINT');
  assert.equal(await early.ended(), 0);
  assert.ok(reportOf(early.lines).acknowledged >= 20);

  const twice = startChaos(['--data-dir', join(dir.path, 'twice'), '--for', '10m', '--kill', 'none', '--rate', '50']);
  await twice.hasAcknowledged(20);
  // What does not answer does not drain: only the second signal can end it.
  process.kill(pidOfEdge(dir.path), 'SIGSTOP');
  twice.child.kill('SIGINT');
  await waitUntil('it to drain', () => twice.lines.some(({ text }) => String(text).startsWith('no more faults')));
  const begun = performance.now();
  await waitUntil('it to end', () => {
    // Within a second of the first one, a second signal may be the same key press.
    if (performance.now() - begun > 1000) twice.child.kill('SIGINT');
    return twice.child.exitCode !== null;
  });
  assert.equal(await twice.ended(), 130);
  assert.ok(!twice.lines.some((line) => 'lost' in line), 'nothing was judged');
  await waitUntil('its processes to be gone', () => processesNaming(dir.path).length === 0);
});

test('asked to stop before anything was published, it says that there is nothing to judge, and fails', async () => {
  await using dir = await tempDir();
  const run = startChaos(['--data-dir', join(dir.path, 'run'), '--for', '10m']);
  await waitUntil('it to begin', () => run.lines.some(({ event }) => event === 'phase'));
  run.child.kill('SIGINT');

  assert.equal(await run.ended(), 1);
  assert.match(run.stderr(), /stopped before anything was published, so there is nothing to judge/);
  await waitUntil('its processes to be gone', () => processesNaming(dir.path).length === 0);
});

test('a folder that holds something, and options without sense, are refused before anything is started', async () => {
  await using dir = await tempDir();
  mkdirSync(join(dir.path, 'used'));
  writeFileSync(join(dir.path, 'used', 'file'), '');
  const refusals: readonly (readonly [readonly string[], string, RegExp])[] = [
    [['--data-dir', join(dir.path, 'used')], 'CHAOS_DATA_DIR_IN_USE', /used holds something already/],
    [['--kill', 'edge,moon'], 'OPTION_INVALID', /--kill "edge,moon": expected some of edge,hub,nats, or "none"/],
    [['--every', '2'], 'OPTION_INVALID', /--every "2": expected a time/],
    [['--rate', '0'], 'OPTION_INVALID', /--rate "0": expected a whole number from 1/],
    [['--drop-acks', '5'], 'OPTION_INVALID', /--drop-acks "5": expected a share/],
    [['--seed', 'x'], 'OPTION_INVALID', /--seed "x": expected a whole number/],
  ];
  for (const [args, code, message] of refusals) {
    const finished = await runProgram(['chaos', ...args, ...LINES]);
    const error = asObject(linesOf(finished.stdout).at(-1)?.['error']);
    assert.deepEqual([finished.code, error?.['code']], [1, code], args.join(' '));
    assert.match(String(error?.['message']), message);
  }
});
