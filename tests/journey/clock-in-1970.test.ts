// A gateway without a battery for its clock: it boots in 1970, works, is killed, works on, and only then the network sets its clock.
// The wrong clock is Debian's faketime, in the edge process alone.
import assert from 'node:assert/strict';
import { existsSync, readdirSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { connectAsync } from 'mqtt';
import { eventsInStream } from '../support/counted-publications.ts';
import { SmallSite } from '../support/small-site.ts';
import { tempDir } from '../support/temp-dir.ts';
import { waitUntil } from '../support/wait-until.ts';

const TOPIC = '$hw/events/device/default/pump/twin/update';

class WrongClock {
  readonly #file: string;
  readonly prefix: readonly string[];

  constructor(dir: string) {
    this.#file = join(dir, 'clock');
    const library = readdirSync('/usr/lib')
      .map((folder) => `/usr/lib/${folder}/faketime/libfaketime.so.1`)
      .find((file) => existsSync(file));
    assert.ok(library !== undefined, 'faketime is not installed');
    const settings = { TIMESTAMP_FILE: this.#file, NO_CACHE: '1', DONT_FAKE_MONOTONIC: '1' };
    const variables = Object.entries(settings).map(([name, value]) => `FAKETIME_${name}=${value}`);
    this.prefix = ['env', `LD_PRELOAD=${library}`, ...variables];
  }

  /** At each start of the process anew. */
  async startIn1970(): Promise<void> {
    await writeFile(this.#file, '@1970-01-01 00:00:07\n');
  }

  async set(): Promise<void> {
    await writeFile(this.#file, '+0\n');
  }
}

async function report(site: SmallSite, number: number): Promise<void> {
  const client = await connectAsync(site.mqttUrl);
  await client.publishAsync(TOPIC, `{"twin":{"number":{"actual":{"value":"${number}"}}}}`, { qos: 1 });
  await client.endAsync();
}

const health = async (site: SmallSite): Promise<string> => {
  const answer = await fetch(`${site.edge.text('http')}/readyz`);
  return await answer.text();
};

void test('a node that boots in 1970 serves its devices, and what it kept leaves with its true time as soon as the clock is set', async () => {
  await using dir = await tempDir();
  const clock = new WrongClock(dir.path);
  await clock.set();
  await using site = await SmallSite.start(['pump'], { hub: {}, edge: { prefix: clock.prefix } });
  await site.edge.stop();

  await clock.startIn1970();
  await site.startEdge();
  await report(site, 1);
  await site.edge.kill();
  await site.startEdge();
  const from = Date.now();
  await report(site, 2);
  const through = Date.now();
  await waitUntil('the node to say what it waits for', async () => (await health(site)).includes('has not been set'));
  assert.deepEqual(await numbers(site), [], 'published before the time was known');

  await clock.set();
  await waitUntil('both values in the stream', async () => (await numbers(site)).length === 2, 20_000);
  const [first, second] = await numbers(site);
  assert.deepEqual([first?.value, second?.value], ['1', '2']);
  // The clock is read in two places that cannot be read at once.
  const moment = second?.receivedAt ?? 0;
  assert.ok(moment >= from - 20 && moment <= through + 20, `2 came at ${moment}, not in ${from}..${through}`);
  assert.ok((first?.receivedAt ?? 0) >= from - 60_000 && (first?.receivedAt ?? 0) <= Date.now(), 'when 1 came');
  await waitUntil('the newest in Kubernetes', async () => (await site.reported('pump')) === '2');
  const seen = Date.parse((await site.device('pump')).status?.lastOnlineTime ?? '');
  assert.ok(seen >= from - 60_000, `last seen ${seen}`);
});

async function numbers(site: SmallSite) {
  const events = await eventsInStream(await site.natsAccess());
  return events.filter(({ property }) => property === 'number');
}
