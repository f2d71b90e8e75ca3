/* eslint-disable @typescript-eslint/no-unsafe-argument, @typescript-eslint/no-unsafe-assignment, @typescript-eslint/no-unsafe-call, @typescript-eslint/no-unsafe-member-access -- answers have many shapes, and the assertions are what checks them */
import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { Client, startApi, temporaryDirectory } from './harness.ts';
import { CONFIG_MAPS, configMap } from './samples.ts';

/** An embedded API in a process of its own, to be killed. */
async function spawnApi(t: TestContext, dataDir: string): Promise<{ child: ChildProcess; client: Client }> {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'api-process.js'), dataDir], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  t.after(() => child.kill('SIGKILL'));
  assert.ok(child.stdout);
  await once(child.stdout, 'data');
  return { child, client: await Client.of(join(dataDir, 'kubeconfig')) };
}

test('what was answered 201 is there after kill -9, and no resourceVersion comes twice', async (t) => {
  const dataDir = await temporaryDirectory();
  const acknowledged = new Map<string, string>();
  const { child, client } = await spawnApi(t, dataDir);

  const writer = async (id: number): Promise<void> => {
    for (let count = 0; ; count += 1) {
      const { code, body } = await client.post(CONFIG_MAPS, configMap(`w${id}-${count}`));
      if (code === 201) acknowledged.set(body.metadata.name as string, body.metadata.resourceVersion as string);
      if (acknowledged.size === 150) child.kill('SIGKILL');
    }
  };
  await Promise.allSettled(Array.from({ length: 8 }, (_, id) => writer(id)));

  const { client: next } = await startApi(t, dataDir);
  const { body } = await next.get(CONFIG_MAPS);
  const kept = new Map<string, string>(
    body.items.map(({ metadata }: { metadata: { name: string; resourceVersion: string } }) => [
      metadata.name,
      metadata.resourceVersion,
    ]),
  );
  assert.ok(acknowledged.size >= 150);
  for (const [name, version] of acknowledged) assert.equal(kept.get(name), version, name);
  const created = await next.post(CONFIG_MAPS, configMap('later'));
  const highest = Math.max(...[...kept.values()].map(Number));
  assert.ok(Number(created.body.metadata.resourceVersion) > highest);
  assert.equal(new Set(kept.values()).size, kept.size);
});
