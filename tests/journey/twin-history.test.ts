// What a twin was, asked of a running node, and of one that was killed while its devices were reporting.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { connectAsync } from 'mqtt';
import type { HistoryAnswer } from '../../src/cli/twin/edge-twins.ts';
import type { Twin } from '../../src/model/twin.ts';
import { runProgram } from '../support/program.ts';
import { SmallSite } from '../support/small-site.ts';

const UPDATE = '$hw/events/device/default/meter/twin/update';
const number = (value: number): string => JSON.stringify({ twin: { number: { actual: { value: String(value) } } } });

async function skerry(site: SmallSite, ...args: readonly string[]): Promise<unknown> {
  const whole = ['twin', ...args, '--data-dir', join(site.dir, 'edge'), '--output', 'json'];
  return JSON.parse((await runProgram(whole)).stdout) as unknown;
}

async function asked(site: SmallSite, path: string): Promise<{ readonly status: number; readonly body: unknown }> {
  const answer = await fetch(`${site.edge.text('http')}/${path}`);
  return { status: answer.status, body: await answer.json() };
}

void test('the changes of a twin and the twin of a moment are told by the command line, and bad questions get a sentence', async () => {
  await using site = await SmallSite.start(['meter']);
  const client = await connectAsync(site.mqttUrl);
  for (const value of [1, 2, 2, 3]) await client.publishAsync(UPDATE, number(value), { qos: 1 });
  await client.endAsync();

  const history = (await skerry(site, 'history', 'meter', 'number')) as {
    readonly entries: readonly { readonly value: string; readonly time: string }[];
  };
  const values = history.entries.map(({ value }) => value);
  assert.deepEqual(values, ['1', '2', '3']);
  const then = (await skerry(site, 'get', 'meter', '--at', history.entries[1]?.time ?? '')) as {
    readonly isComplete: boolean;
    readonly properties: readonly { readonly reported: { readonly value: string } }[];
  };
  assert.ok(then.isComplete);
  // Both may have come in one millisecond; then the later one counts.
  const isSame = history.entries[1]?.time === history.entries[2]?.time;
  assert.equal(then.properties[0]?.reported.value, isSame ? '3' : '2');
  const text = await runProgram(['twin', 'history', 'meter', '--data-dir', join(site.dir, 'edge'), '--limit', '2']);
  assert.match(text.stdout, /^TIME +WHAT +VALUE +SET BY\n.*\n.*number reported +3\nonly the newest 2 are shown/);

  for (const args of [
    ['get', 'meter', '--at', 'noon'],
    ['history', 'meter', '--limit', '0'],
    ['history', 'meter', '--since', '2026-13-01T00:00:00Z'],
  ])
    assert.equal(((await skerry(site, ...args)) as { error: { code: string } }).error.code, 'OPTION_INVALID');
  assert.equal((await asked(site, 'twins/default/meter?at=noon')).status, 400);
  assert.equal((await asked(site, 'history/default/meter?limit=10001')).status, 400);
  assert.equal((await asked(site, 'history/default/meter?since=1')).status, 400);
  assert.equal((await asked(site, 'history/default/ghost')).status, 404);
  assert.equal((await asked(site, 'history/default/meter/..%2F..%2Ftwin')).status, 404);
  for (const args of [
    ['history', 'meter', 'nmuber'],
    ['set', 'meter', 'nmuber=5', '--edge', site.edge.text('http')],
  ])
    assert.deepEqual(await skerry(site, ...args), {
      error: {
        code: 'PROPERTY_NOT_FOUND',
        message: 'the device default/meter has no property "nmuber"; it has number',
        details: { device: 'default/meter', property: 'nmuber', known: 'number' },
      },
    });
});

void test('a node killed under load has the history of its twins, whole and to the last value', async () => {
  await using site = await SmallSite.start(['meter']);
  for (let round = 0; round < 5; round += 1) {
    const client = await connectAsync(site.mqttUrl, { reconnectPeriod: 0 });
    client.on('error', () => undefined);
    let acknowledged = 0;
    for (let value = 1; value <= 3000; value += 1)
      client.publish(UPDATE, number(round * 10_000 + value), { qos: 1 }, (error) => {
        if (!(error instanceof Error)) acknowledged += 1;
        if (acknowledged === 200 + round * 150) void site.edge.kill();
      });
    await site.edge.exited;
    client.end(true);
    await site.startEdge();

    const twin = (await asked(site, 'twins/default/meter')).body as Twin;
    const { entries } = (await asked(site, 'history/default/meter/number')).body as HistoryAnswer;
    const newest = entries.at(-1);
    const { reported } = twin.properties['number'] ?? assert.fail();
    assert.deepEqual([newest?.value, newest?.n, newest?.at], [reported?.value, reported?.n, reported?.at]);
    assert.equal(entries.length, 100);
    for (const [place, { n, before }] of entries.entries()) {
      assert.equal(n, (entries[0]?.n ?? 0) + place);
      assert.equal(before, n - 1);
    }
  }
});
