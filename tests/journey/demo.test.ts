// The demo as a newcomer meets it, with the tools they have: kubectl, mosquitto_sub, a NATS subscriber, Ctrl-C.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { Kubectl } from '../support/kubectl.ts';
import { collectLines, isAlive, processesNaming } from '../support/processes.ts';
import { runProgram, startProgram, type Program } from '../support/program.ts';
import { tempDir } from '../support/temp-dir.ts';
import { waitUntil } from '../support/wait-until.ts';

const ANY = '127.0.0.1:0';
const FREE_PORTS = ['mqtt', 'mqtt-ws', 'api', 'nats-listen', 'http', 'edge-http'].flatMap((key) => [`--${key}`, ANY]);

function startDemo(dataDir: string): Promise<Program> {
  return startProgram(['demo', '--data-dir', dataDir, ...FREE_PORTS]);
}

interface Shown {
  readonly status: string;
  readonly count: number;
}

async function shown(kubectl: Kubectl): Promise<Shown | undefined> {
  const { stdout } = await kubectl.run(['get', 'devices', '--no-headers']);
  const match = /status=(\w+), count=(\d+)/.exec(stdout);
  return match === null ? undefined : { status: match[1] ?? '', count: Number(match[2]) };
}

const desired = (value: string): string =>
  JSON.stringify({ spec: { properties: [{ name: 'status', desired: { value } }] } });

test('a newcomer watches the counter in Kubernetes, on MQTT and on NATS, and switches it off and on', async () => {
  await using dir = await tempDir();
  await using demo = await startDemo(dir.path);
  const kubectl = new Kubectl(demo.text('kubeconfig'));
  const { hostname, port } = new URL(demo.text('mqtt').replace('mqtt:', 'http:'));
  using local = collectLines('mosquitto_sub', ['-h', hostname, '-p', port, '-t', '$hw/events/device/#', '-v']);
  using cloud = collectLines(process.execPath, [
    'dist/examples/01-cloud-subscriber.js',
    join(dir.path, 'nats-viewer.json'),
  ]);

  await waitUntil('the message to be shown in the cloud', async () => {
    const message = ['-t', 'line/user/alarm', '-q', '1', '-m', '{"level":"high"}'];
    await once(spawn('mosquitto_pub', ['-h', hostname, '-p', port, ...message]), 'close');
    return cloud.lines.some((line) => line.endsWith('line/user/alarm  {"level":"high"}'));
  });

  const first = await waitUntil('kubectl to show a count', () => shown(kubectl));
  await waitUntil('the count to grow', async () => ((await shown(kubectl))?.count ?? 0) > first.count + 2);
  const { stdout: nodes } = await kubectl.run(['get', 'nodes', '--no-headers']);
  assert.match(nodes, /^demo\s+Ready\s+agent,edge/);

  const patched = await kubectl.run(['patch', 'device', 'counter', '--type=merge', '-p', desired('OFF')]);
  assert.equal(patched.code, 0, patched.stderr);
  const stopped = await waitUntil('the counter to be off', async () => {
    const now = await shown(kubectl);
    return now?.status === 'OFF' ? now : undefined;
  });
  await delay(2500);
  assert.deepEqual(await shown(kubectl), stopped);

  const set = await runProgram(['twin', 'set', 'counter', 'status=ON', '--data-dir', dir.path]);
  assert.equal(set.code, 0, set.stderr);
  await waitUntil(
    'it to count again',
    async () => (await shown(kubectl))?.status === 'ON' && ((await shown(kubectl))?.count ?? 0) > 1,
    10_000,
  );

  const counts = (lines: readonly string[], pattern: RegExp): number[] =>
    lines.flatMap((line) => pattern.exec(line)?.[1] ?? []).map(Number);
  const heardLocally = counts(local.lines, /default\/counter\/twin\/update \{.*"count":\{"actual":\{"value":"(\d+)"/);
  const heardInCloud = counts(cloud.lines, /default\/counter {2}count = (\d+)/);
  const common = heardLocally.slice(heardLocally.indexOf(heardInCloud[0] ?? -1));
  assert.ok(heardInCloud.length > 4, `a cloud subscriber heard ${heardInCloud.length} counts`);
  assert.deepEqual(heardInCloud.slice(0, 4), common.slice(0, 4), 'the cloud hears every value that the device said');
  assert.ok(
    local.lines.some((line) => line.startsWith('$hw/events/device/counter/twin/update/document ')),
    'both address forms are served',
  );
});

test('without a terminal the demo prints plain lines: what listens where, what to type, and the counter', async () => {
  await using dir = await tempDir();
  const dataDir = join(dir.path, 'a demo');
  using demo = collectLines(process.execPath, ['dist/bundle/skerry.js', 'demo', '--data-dir', dataDir, ...FREE_PORTS]);
  const seen = (pattern: RegExp): string | undefined => demo.lines.find((line) => pattern.test(line));

  await waitUntil(
    'the counter to be in Kubernetes',
    () => seen(/^counter counts \d+ .* Kubernetes shows status=ON count=\d+$/),
    30_000,
  );

  assert.ok(seen(/MQTT +mqtt:\/\/127\.0\.0\.1:\d+ /));
  assert.ok(seen(/export KUBECONFIG='.*a demo\/kubeconfig'/));
  assert.ok(seen(/kill -STOP \d+; sleep 20; kill -CONT \d+/));
  assert.ok(demo.lines.every((line) => !line.includes('\u001b')));
  const get = await runProgram(['twin', 'get', 'default/counter', '--data-dir', dataDir]);
  assert.match(
    get.stdout,
    /^default\/counter {2}online\nPROPERTY +DESIRED +REPORTED\nstatus +ON +ON\ncount +- +\d+\n$/,
  );
  using watching = collectLines(process.execPath, [
    'dist/bundle/skerry.js',
    'twin',
    'watch',
    'counter',
    '--data-dir',
    dataDir,
    '--output',
    'json',
  ]);
  await waitUntil('three changes of the twin', () => watching.lines.length > 3);
  process.kill(demo.pid, 'SIGTERM');
  await waitUntil('every part to stop', () => processesNaming(dataDir).length === 0);
});

test('a frozen nats-server does not keep the demo from stopping in time, nor stay behind', async () => {
  await using dir = await tempDir();
  const demo = await startDemo(dir.path);
  const { nats } = demo.ready['pids'] as Record<string, number>;
  process.kill(nats ?? 0, 'SIGSTOP');

  const begun = performance.now();
  assert.equal(await demo.stop(), 0);

  assert.ok(performance.now() - begun < 10_000, 'stopping takes at most 10 s');
  assert.deepEqual(processesNaming(dir.path), []);
});

test('whatever part of the demo is killed comes back, and the count goes on', async () => {
  await using dir = await tempDir();
  await using demo = await startDemo(dir.path);
  const kubectl = new Kubectl(demo.text('kubeconfig'));
  const pids = demo.ready['pids'] as Record<'hub' | 'nats' | 'edge' | 'counter', number>;
  await waitUntil('kubectl to show a count', () => shown(kubectl));

  for (const part of ['hub', 'nats', 'edge', 'counter'] as const) {
    process.kill(pids[part], 'SIGKILL');
    await waitUntil(`the ${part} to be gone`, () => !isAlive(pids[part]));
    const before = (await waitUntil('kubectl to answer again', () => shown(kubectl))).count;
    // The counter process begins anew at 1 when it was the one that died.
    await waitUntil(
      `the count to move after the ${part} was killed`,
      async () => ((await shown(kubectl))?.count ?? before) !== before,
      20_000,
    );
  }
});

test('Ctrl-C through npm stops everything, within its time and with exit code 0', async () => {
  await using dir = await tempDir();
  const npm = spawn(
    'npm',
    ['run', '-s', 'skerry', '--', 'demo', '--data-dir', dir.path, ...FREE_PORTS, '--output', 'json'],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
      // A process group of its own, as a shell gives to what runs in the foreground.
      detached: true,
    },
  );
  await new Promise((resolve) => createInterface({ input: npm.stdout }).once('line', resolve));
  assert.ok(processesNaming(dir.path).length >= 4, 'hub, nats-server, edge and counter run');

  const begun = performance.now();
  const exited = once(npm, 'exit');
  process.kill(-(npm.pid ?? 0), 'SIGINT');
  const [code] = (await exited) as [number | null];

  assert.equal(code, 0);
  assert.ok(performance.now() - begun < 10_000, 'stopping takes at most 10 s');
  assert.deepEqual(processesNaming(dir.path), []);
});

test('parts whose demo was killed stop by themselves', async () => {
  await using dir = await tempDir();
  const demo = await startDemo(dir.path);

  await demo.kill();

  await waitUntil('every part to stop', () => processesNaming(dir.path).length === 0);
});

test('a second demo on the same data directory is refused and disturbs nothing', async () => {
  await using dir = await tempDir();
  await using demo = await startDemo(dir.path);

  const second = await runProgram(['demo', '--data-dir', dir.path, ...FREE_PORTS]);

  assert.equal(second.code, 1);
  assert.match(second.stderr, /the hub did not start: .*(in use|another process)/i);
  assert.ok((await new Kubectl(demo.text('kubeconfig')).run(['get', 'devices'])).code === 0);
  assert.equal(join(dir.path, 'kubeconfig'), demo.text('kubeconfig'));
});
