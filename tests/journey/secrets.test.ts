// Where secrets lie and where they must not appear: files that only their owner reads, and logs that hold none.
import assert from 'node:assert/strict';
import { chmod, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { connectAsync } from 'mqtt';
import { ask } from '../support/https.ts';
import { runProgram } from '../support/program.ts';
import { filesBelow, modeOf, secretsIn } from '../support/secrets.ts';
import { SmallSite } from '../support/small-site.ts';
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
