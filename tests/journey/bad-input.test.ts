// What wrong use gets: a sentence that names the option, key, file or address, and the way out. Nothing changes.
import assert from 'node:assert/strict';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { connectAsync } from 'mqtt';
import { runProgram, startProgram } from '../support/program.ts';
import { Kubectl } from '../support/kubectl.ts';
import { SmallSite } from '../support/small-site.ts';
import { tempDir } from '../support/temp-dir.ts';
import { waitUntil } from '../support/wait-until.ts';

const HUB_PORTS = ['--api', '127.0.0.1:0', '--nats-listen', '127.0.0.1:0', '--http', '127.0.0.1:0'];
const CREDENTIALS = JSON.stringify({ node: 'n', nats: { url: 'nats://127.0.0.1:9', user: 'u', password: 'p' } });

test('an unknown option or command is named, with exit code 2', async () => {
  const option = await runProgram(['edge', '--bogus']);
  const command = await runProgram(['dance']);

  assert.equal(option.code, 2);
  assert.match(option.stderr, /unknown option '--bogus'/);
  assert.equal(command.code, 2);
  assert.match(command.stderr, /unknown command 'dance'/);
});

test('a missing option says what it is for', async () => {
  const { code, stderr } = await runProgram(['hub']);

  assert.equal(code, 1);
  assert.match(stderr, /--data-dir is missing: the folder/);
});

test('an address that is none is quoted, with the form that is expected', async () => {
  await using dir = await tempDir();
  const { code, stderr } = await runProgram(['hub', '--data-dir', join(dir.path, 'hub'), '--api', '127.0.0.1:99999']);

  assert.equal(code, 1);
  assert.match(stderr, /--api "127\.0\.0\.1:99999": expected HOST:PORT/);
  assert.deepEqual(await readdir(dir.path), []);
});

test('a broken configuration file is named with line and column, an unknown key with the keys there are', async () => {
  await using dir = await tempDir();
  const broken = join(dir.path, 'broken.yaml');
  const unknown = join(dir.path, 'unknown.yaml');
  await writeFile(broken, 'data-dir: "x\nhttp: [');
  await writeFile(unknown, 'data-dirr: /tmp/x\n');

  const first = await runProgram(['hub', '--config', broken]);
  const second = await runProgram(['hub', '--config', unknown]);
  const third = await runProgram(['hub', '--config', join(dir.path, 'missing.yaml')]);

  assert.match(first.stderr, /broken\.yaml is not valid YAML at line \d+, column \d+/);
  assert.match(
    second.stderr,
    /unknown\.yaml has the key "data-dirr", which this command does not know; it knows data-dir, /,
  );
  assert.match(third.stderr, /missing\.yaml cannot be read/);
  assert.deepEqual([first.code, second.code, third.code], [1, 1, 1]);
});

test('options come from the file, the environment wins over it, and a flag over both', async () => {
  await using dir = await tempDir();
  const credentials = join(dir.path, 'credentials.json');
  const config = join(dir.path, 'edge.yaml');
  await writeFile(credentials, CREDENTIALS, { mode: 0o600 });
  await writeFile(
    config,
    `data-dir: ${join(dir.path, 'edge')}\nmqtt: 127.0.0.1:0\nmqtt-ws: "off"\nhttp: 127.0.0.1:0\ncredentials: /does/not/exist\n`,
  );

  const { stderr } = await runProgram(['edge', '--config', config]);
  assert.match(stderr, /credentials file \/does\/not\/exist cannot be read/);
  await using edge = await startProgram(['edge', '--config', config, '--credentials', credentials]);

  assert.equal(edge.ready['node'], 'n');
});

test('a port in use is named with the option that chooses another', async (t) => {
  await using dir = await tempDir();
  const credentials = join(dir.path, 'credentials.json');
  await writeFile(credentials, CREDENTIALS, { mode: 0o600 });
  const other = createServer();
  await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
  t.after(() => other.close());
  const taken = `127.0.0.1:${(other.address() as AddressInfo).port}`;
  const edge = ['edge', '--data-dir', join(dir.path, 'edge'), '--credentials', credentials, '--mqtt-ws', 'off'];
  const hub = ['hub', '--data-dir', join(dir.path, 'hub')];
  const free = '127.0.0.1:0';
  const uses: readonly (readonly [string, readonly string[]])[] = [
    ['--mqtt', [...edge, '--mqtt', taken, '--http', free]],
    ['--http', [...edge, '--mqtt', free, '--http', taken]],
    ['--api', [...hub, '--api', taken, '--nats-listen', free, '--http', free]],
    ['--nats-listen', [...hub, '--api', free, '--nats-listen', taken, '--http', free]],
    ['--http', [...hub, '--api', free, '--nats-listen', free, '--http', taken]],
  ];

  for (const [option, args] of uses) {
    const { code, stderr } = await runProgram([...args, '--log-level', 'silent']);
    assert.equal(code, 1, stderr);
    assert.ok(stderr.includes(taken), stderr);
    assert.ok(stderr.includes(option), stderr);
  }
});

test('a data directory in use by another process is refused, and the one that has it goes on', async () => {
  await using site = await SmallSite.start([]);
  const edge = await runProgram([
    'edge',
    '--data-dir',
    join(site.dir, 'edge'),
    '--mqtt',
    '127.0.0.1:0',
    '--mqtt-ws',
    'off',
    '--http',
    '127.0.0.1:0',
  ]);
  const hub = await runProgram(['hub', '--data-dir', join(site.dir, 'hub'), ...HUB_PORTS]);

  assert.equal(edge.code, 1);
  assert.match(edge.stderr, /edge is in use by another process.*--data-dir/);
  assert.equal(hub.code, 1);
  assert.match(hub.stderr, /(in use|another process|another hub)/i);
  assert.ok((await fetch(`${site.edge.text('http')}/healthz`)).ok);
});

test('twin commands name the device, the property and what there is instead', async () => {
  await using site = await SmallSite.start(['pump']);
  const hub = ['--kubeconfig', site.kubeconfig];
  const edge = ['--edge', site.edge.text('http')];

  const noDevice = await runProgram(['twin', 'get', 'nothing', ...hub]);
  const noProperty = await runProgram(['twin', 'set', 'pump', 'colour=red', ...hub]);
  const noValue = await runProgram(['twin', 'set', 'pump', 'number', ...hub]);
  const wrongType = await runProgram(['twin', 'set', 'pump', 'number=red', ...edge]);
  const noHub = await runProgram(['twin', 'get', 'pump', '--data-dir', join(site.dir, 'nowhere')]);

  assert.match(noDevice.stderr, /there is no device default\/nothing/);
  assert.match(noProperty.stderr, /has no property "colour"; it has number/);
  assert.match(noValue.stderr, /expected PROPERTY=VALUE/);
  assert.match(wrongType.stderr, /property "number" must be an integer, not "red"/);
  assert.match(noHub.stderr, /no hub has run in/);
  assert.deepEqual(
    [noDevice, noProperty, noValue, wrongType, noHub].map(({ code }) => code),
    [1, 1, 1, 1, 1],
  );
});

test('with --output json an error is one JSON object with its code', async () => {
  const { code, stdout } = await runProgram([
    'twin',
    'get',
    'pump',
    '--edge',
    'http://127.0.0.1:9',
    '--output',
    'json',
  ]);

  assert.equal(code, 1);
  assert.equal((JSON.parse(stdout) as { error: { code: string } }).error.code, 'EDGE_UNREACHABLE');
});

test('the version is that of the package', async () => {
  const { stdout, code } = await runProgram(['version']);

  assert.equal(code, 0);
  assert.match(stdout, /^skerry \d+\.\d+\.\d+\n$/);
});

test('credentials that a refused start brought along change nothing', async () => {
  await using site = await SmallSite.start([]);
  const kept = join(site.dir, 'edge', 'credentials.json');
  const before = await readFile(kept, 'utf8');
  const other = join(site.dir, 'other.json');
  await writeFile(other, CREDENTIALS, { mode: 0o600 });

  const { code } = await runProgram([
    'edge',
    '--data-dir',
    join(site.dir, 'edge'),
    '--credentials',
    other,
    '--mqtt',
    '127.0.0.1:0',
    '--mqtt-ws',
    'off',
    '--http',
    '127.0.0.1:0',
  ]);

  assert.equal(code, 1);
  assert.equal(await readFile(kept, 'utf8'), before);
});

test('who asks Kubernetes about a device reads what its node refused, and why', async () => {
  await using site = await SmallSite.start(['pump']);
  const kubectl = new Kubectl(site.kubeconfig);
  const client = await connectAsync(site.mqttUrl);

  const bad = JSON.stringify({ twin: { number: { actual: { value: 'many' } } } });
  for (let n = 0; n < 5; n += 1) await client.publishAsync('$hw/events/device/pump/twin/update', bad, { qos: 1 });
  await client.endAsync();

  const told = await waitUntil(
    'the Event',
    async () => {
      const { stdout } = await kubectl.run(['describe', 'device', 'pump']);
      return stdout.includes('PublicationRejected') && stdout;
    },
    15_000,
  );
  assert.match(told, /Warning +PublicationRejected .* node site: \d publications? w.*"number".*must be an integer/);
  const { stdout: events } = await kubectl.run(['get', 'events', '--field-selector', 'reason=PublicationRejected']);
  assert.match(events, /device\/pump/);
});
