// Where secrets lie and where they must not appear: files that only their owner reads, and logs that hold none.
import assert from 'node:assert/strict';
import { chmod, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { connectAsync } from 'mqtt';
import { ask } from '../support/https.ts';
import { runProgram, startProgram, type Program } from '../support/program.ts';
import { filesBelow, modeOf, secretsIn } from '../support/secrets.ts';
import { SmallSite } from '../support/small-site.ts';
import { tempDir } from '../support/temp-dir.ts';
import { waitUntil } from '../support/wait-until.ts';

/** Values go up, a command is refused, NATS goes and comes, edge and hub start again: what a run has to say for itself. */
async function fullRun(site: SmallSite): Promise<string> {
  const logs: string[] = [];
  const client = await connectAsync(site.mqttUrl, { username: 'somebody', password: 'a-password-that-nobody-has' });
  client.on('error', () => undefined);
  const publish = (payload: string): Promise<unknown> =>
    client.publishAsync('$hw/events/device/default/pump/twin/update', payload, { qos: 1 });
  await publish('{"twin":{"number":{"actual":{"value":"7"}}}}');
  await publish('{"twin":');
  await waitUntil('Kubernetes to show the number', async () => (await site.reported('pump')) === '7');
  await client.endAsync();
  const authorization = 'Bearer a-token-that-nobody-has';
  for (const { ready } of [site.hub, site.edge])
    await ask(String(ready['http']), '/nothing', { headers: { authorization, host: 'rebound.example' } });
  process.kill(await site.natsServerPid(), 'SIGKILL');
  await waitUntil('the edge node to be linked again', () => isLinked(site));
  logs.push(site.edge.log(), site.hub.log());
  await site.edge.stop();
  await site.hub.stop();
  await site.startHub();
  await site.startEdge();
  await waitUntil('the edge node to be linked after its restart', () => isLinked(site));
  return [...logs, site.edge.log(), site.hub.log(), await natsLog(site)].join('\n');
}

async function isLinked(site: SmallSite): Promise<boolean> {
  const { text } = await ask(site.edge.text('http'), '/status');
  return (JSON.parse(text) as { isLinked: boolean }).isLinked;
}

const natsLog = async (site: SmallSite): Promise<string> => {
  const logs = (await filesBelow(join(site.dir, 'hub', 'nats'))).filter((file) => file.endsWith('.log'));
  return (await Promise.all(logs.map((file) => readFile(file, 'utf8')))).join('\n');
};

void test('nothing that a whole run logged, at any level, holds a secret of it', async () => {
  await using site = await SmallSite.start(['pump']);

  const logged = await fullRun(site);

  const secrets = await secretsIn(site.dir);
  assert.ok(secrets.size >= 5, `only ${secrets.size} secrets found: the test looks in the wrong place`);
  for (const folder of ['hub', 'edge'])
    assert.ok((await secretsIn(join(site.dir, folder))).size > 0, `no secret of the ${folder} found`);
  const told = [...secrets].filter(([secret]) => logged.includes(secret));
  assert.deepEqual(
    told.map(([, file]) => file),
    [],
  );
  for (const shown of ['a-password-that-nobody-has', 'a-token-that-nobody-has'])
    assert.equal(logged.includes(shown), false, shown);
  assert.match(logged, /"level":"debug"/);
});

/** What it printed and logged: the first line is the test's own, and says how it was started. */
const withoutArguments = (error: unknown): string => String(error).split('\n').slice(1).join('\n');

const token = async (dataDir: string): Promise<string> =>
  waitUntil('a token', async () => {
    const { code, stdout } = await runProgram(['token', 'create', '--data-dir', dataDir, '--output', 'json']);
    return code === 0 ? (JSON.parse(stdout) as { token: string }).token : undefined;
  });

void test('joining, being revoked, users and passwords leave no secret in a log either', async (t) => {
  await using dir = await tempDir();
  const [hubDir, edgeDir] = [join(dir.path, 'hub'), join(dir.path, 'edge')];
  const any = '127.0.0.1:0';
  const hub = await startProgram(['hub', '--data-dir', hubDir, '--http', any, '--nats-listen', any, '--api', any]);
  t.after(() => hub.stop());
  const tokens = [await token(hubDir), await token(hubDir)];
  const url = hub.text('http').replace('http:', 'https:');
  const passwordFile = join(dir.path, 'password.txt');
  await writeFile(passwordFile, 'a-password-of-the-pump-that-is-long\n', { mode: 0o600 });
  await runProgram(['mqtt-user', 'add', 'pump', '--password-file', passwordFile, '--data-dir', edgeDir]);
  await runProgram(['nats-user', 'create', 'billing', '--subscribe', 'skerry.*.up.>', '--data-dir', hubDir]);
  const logs: string[] = [];
  const start = (text: string): Promise<Program> =>
    startProgram([
      ...['edge', '--data-dir', edgeDir, '--hub', url, '--token', text, '--node', 'plant-1'],
      ...['--mqtt', any, '--mqtt-ws', 'off', '--http', any],
    ]);

  const edge = await start(tokens[0] ?? '');
  t.after(() => edge.kill());
  await waitUntil('the node to be linked', () => edge.log().includes('linked to NATS'));
  for (const password of ['a-password-of-the-pump-that-is-long', 'a-guess-that-nobody-should-read-anywhere'])
    await connectAsync(edge.text('mqtt'), { username: 'pump', password, reconnectPeriod: 0 }).then(
      (client) => client.endAsync(),
      () => undefined,
    );
  await runProgram(['nats-user', 'remove', 'billing', '--data-dir', hubDir]);
  const secrets = await secretsIn(dir.path);
  await runProgram(['node', 'revoke', 'plant-1', '--data-dir', hubDir]);
  await waitUntil('the node to be cut off', () => /revoked.*does not renew/.test(edge.log()));
  await edge.stop();
  await assert.rejects(start(tokens[1] ?? ''), (error) => logs.push(withoutArguments(error)) > 0);
  await hub.stop();
  logs.push(edge.log(), hub.log());

  const logged = logs.join('\n');
  assert.ok(
    [...secrets.values()].some((file) => file.startsWith(edgeDir)),
    'no secret of the node was found',
  );
  const told = [...secrets].filter(([secret]) => logged.includes(secret)).map(([, file]) => file);
  assert.deepEqual(told, []);
  for (const text of tokens) assert.ok(!logged.includes(text.split('.')[1] ?? text), 'a token is in a log');
  for (const shown of ['a-password-of-the-pump', 'a-guess-that-nobody']) assert.ok(!logged.includes(shown), shown);
  for (const file of new Set(secrets.values())) assert.equal((await modeOf(file)) & 0o077, 0, file);
});

void test('what a site keeps is readable by its owner only, and a start is refused while a secret is not', async () => {
  await using site = await SmallSite.start([]);
  const files = await secretsIn(site.dir);
  for (const file of new Set(files.values())) assert.equal((await modeOf(file)) & 0o077, 0, file);
  const token = join(site.dir, 'hub', 'http-token');
  const credentials = join(site.dir, 'edge', 'credentials.json');
  await site.edge.stop();
  await site.hub.stop();
  await chmod(token, 0o644);
  await chmod(credentials, 0o604);

  const hub = await runProgram(['hub', '--data-dir', join(site.dir, 'hub')]);
  const edge = await runProgram(['edge', '--data-dir', join(site.dir, 'edge'), '--mqtt-ws', 'off']);

  assert.deepEqual([hub.code, edge.code], [1, 1]);
  assert.ok(hub.stderr.includes(`chmod 600 ${token}`), hub.stderr);
  assert.ok(edge.stderr.includes(`${credentials} (mode 0604)`), edge.stderr);
  await chmod(token, 0o600);
  await chmod(credentials, 0o600);
  await site.startHub();
  await site.startEdge();
});
