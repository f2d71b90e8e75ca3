// The outbox at its limits, over real disks and a real stream: what is missing is named, exactly, and nothing else is.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { MqttClient } from 'mqtt';
import { Outbox } from '../../../src/edge/outbox/outbox.ts';
import { EdgeStore } from '../../../src/edge/store/edge-store.ts';
import { Deadline } from '../../../src/kit/deadline.ts';
import { silentLogger } from '../../../src/kit/logger.ts';
import { bytes, mebibytes, seconds } from '../../../src/kit/units.ts';
import type { DeviceDefinition } from '../../../src/model/device.ts';
import type { Change, Fact } from '../../../src/model/fact.ts';
import { gapsInStream, messagesInStream, type CloudMessage } from '../../support/counted-publications.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { tempDir } from '../../support/temp-dir.ts';
import { waitUntil } from '../../support/wait-until.ts';
import { EdgeWorld, NEVER, report, UPDATE, type StreamEvent } from './edge-world.ts';

const LIMIT = bytes(200_000);
const QOS1 = { qos: 1 } as const;
const STATE_UPDATE = '$hw/events/device/default/boiler/state/update';
const BOILER: DeviceDefinition = {
  ...{ namespace: 'default', name: 'boiler', uid: 'uid-1', binding: 1, protocol: 'modbus', protocolConfig: {} },
  properties: [
    { name: 'count', type: 'INT', accessMode: 'ReadOnly' },
    { name: 'raw', type: 'INT', accessMode: 'ReadOnly', class: 'telemetry' },
    { name: 'level', type: 'INT', accessMode: 'ReadOnly', class: 'telemetry', keep: 'last' },
  ],
};

const numbers = (from: number, through: number): number[] =>
  Array.from({ length: through - from + 1 }, (_, n) => from + n);

async function diskUse(dir: string): Promise<number> {
  let sum = 0;
  for (const name of await readdir(dir)) sum += (await stat(join(dir, name))).size;
  return sum;
}

async function publishAll(device: MqttClient, property: string, list: readonly number[]): Promise<void> {
  for (let from = 0; from < list.length; from += 50)
    await Promise.all(list.slice(from, from + 50).map((n) => device.publishAsync(UPDATE, report(property, n), QOS1)));
}

/** Values that arrived, and how many the gaps of the chain name, in the order of the stream. */
function tellOf(events: readonly StreamEvent[], chainClass: string, property?: string) {
  const own = events.filter(({ subject }) => subject.includes(`.up.${chainClass}.`));
  const values = own.filter((event) => event.gap === undefined && (property ?? event.property) === event.property);
  return { values: values.map(({ value }) => value), gaps: own.flatMap(({ gap }) => (gap === undefined ? [] : [gap])) };
}

void test('with the link cut and more facts than room, telemetry goes first and the stream says later what is missing', async () => {
  await using world = await EdgeWorld.open();
  world.limits = { ...world.limits, limit: LIMIT };
  const edge = await world.startEdge();
  await world.put(BOILER);
  const heard = await world.listener();
  await heard.first('$skerry/mapper/modbus/default/boiler');
  await world.uplinkOpen();
  await world.nats.kill();
  const device = await world.client();

  for (let round = 0; round < 10; round += 1) {
    await publishAll(device, 'raw', numbers(round * 200 + 1, round * 200 + 200));
    await publishAll(device, 'count', numbers(round * 10 + 1, round * 10 + 10));
    // States that the next report does not contradict: each word is one fact.
    await device.publishAsync(STATE_UPDATE, JSON.stringify({ state: round % 2 === 0 ? 'ok' : 'unhealthy' }), QOS1);
  }
  const { state, reason } = edge.health();
  assert.equal(state, 'degraded');
  assert.match(reason ?? '', /telemetry.*--outbox-bytes/);
  // LevelDB writes everything twice before it merges, and twins and records lie beside the outbox.
  assert.ok((await diskUse(join(world.dir, 'edge', 'store'))) < 20 * LIMIT);

  await world.nats.restart();
  await waitUntil('the hub to be back', () => world.hub.connected);
  const events = await waitUntil(
    'the newest of all',
    async () => {
      const all = await world.upEvents();
      return all.some(({ property, value }) => property === 'raw' && value === '2000') ? all : undefined;
    },
    20_000,
  );
  await waitUntil('the twins', async () => (await world.reported('count')).length === 100);
  const twin = tellOf(await world.upEvents(), 'twin', 'count');
  assert.deepEqual([twin.values, twin.gaps], [numbers(1, 100).map(String), []]);
  assert.equal(tellOf(events, 'event').values.length, 10);
  const { values, gaps } = tellOf(events, 'telemetry', 'raw');
  const first = Number(values[0]);
  // The oldest are missing, without a hole behind them.
  assert.ok(first > 1000, `${values.length} of 2000 raw values were kept, from ${first} on`);
  assert.deepEqual(values, numbers(first, 2000).map(String));
  assert.deepEqual(
    gaps.map(({ reason: why, changes }) => [why, changes]),
    [['bytes', first - 1]],
  );
  assert.equal(tellOf(events, 'telemetry').gaps.length, 1);
});

void test('messages and data for the cloud are dropped before events and values, and their gaps are named in their chains', async () => {
  await using world = await EdgeWorld.open();
  world.limits = { ...world.limits, limit: LIMIT };
  await world.startEdge();
  await world.put(BOILER);
  const heard = await world.listener();
  await heard.first('$skerry/mapper/modbus/default/boiler');
  await world.uplinkOpen();
  await world.nats.kill();
  const device = await world.client();
  const topics = ['plant/user/n', '$ke/events/device/boiler/data/update'];

  for (let n = 1; n <= 1000; n += 1) {
    await Promise.all(topics.map((topic) => device.publishAsync(topic, String(n), QOS1)));
    if (n % 20 === 0) await publishAll(device, 'count', [n]);
  }

  await world.nats.restart();
  await waitUntil('the hub to be back', () => world.hub.connected);
  const newest = (): Promise<CloudMessage[]> => messagesInStream(world.nats);
  await waitUntil('the newest', async () => (await newest()).filter(({ data }) => data === 1000).length === 2);
  await waitUntil('the values', async () => (await world.reported('count')).length === 50);
  const gaps = await gapsInStream(world.nats);
  assert.deepEqual([...gaps.keys()].toSorted(), ['skerry.n1.up.data.default.boiler', 'skerry.n1.up.message']);
  for (const [place, subject] of ['skerry.n1.up.message', 'skerry.n1.up.data.default.boiler'].entries()) {
    const numbersOf = (await newest()).filter(({ topic }) => topic === topics[place]).map(({ data }) => Number(data));
    const first = numbersOf[0] ?? 0;
    assert.deepEqual(numbersOf, numbers(first, 1000));
    assert.deepEqual(gaps.get(subject), [{ reason: 'bytes', changes: first - 1 }]);
  }
  assert.equal(tellOf(await world.upEvents(), 'data').gaps.length, 1);
});

void test('messages a thousand times as large as a value wait on disk, and come whole', async () => {
  await using world = await EdgeWorld.open();
  await world.startEdge();
  await world.uplinkOpen();
  await world.nats.kill();
  const device = await world.client();
  const large = (n: number): string => JSON.stringify(String(n).padEnd(n % 3 === 0 ? 700_000 : 10, '.'));

  for (const n of numbers(1, 40)) await device.publishAsync('plant/user/image', large(n), QOS1);
  await world.stopEdge();
  await world.startEdge();
  await world.nats.restart();
  await waitUntil('the hub to be back', () => world.hub.connected);

  const messages = await waitUntil(
    'all of them',
    async () => {
      const all = await messagesInStream(world.nats);
      return all.length >= 40 && all;
    },
    20_000,
  );
  assert.deepEqual(
    messages.map(({ data }) => JSON.stringify(data)),
    numbers(1, 40).map(large),
  );
});

void test('of a property of which only the last matters, what newer values stand for goes before anything is dropped', async () => {
  await using world = await EdgeWorld.open();
  world.limits = { ...world.limits, limit: LIMIT };
  await world.startEdge();
  await world.put(BOILER);
  const heard = await world.listener();
  await heard.first('$skerry/mapper/modbus/default/boiler');
  await world.uplinkOpen();
  await world.nats.kill();
  const device = await world.client();

  await publishAll(device, 'raw', numbers(1, 50));
  await publishAll(device, 'level', numbers(1, 2000));

  await world.nats.restart();
  await waitUntil('the hub to be back', () => world.hub.connected);
  await waitUntil('the newest', async () => (await world.reported('level')).includes('2000'));
  const events = await world.upEvents();
  assert.deepEqual(tellOf(events, 'telemetry', 'raw').values, numbers(1, 50).map(String));
  const { values, gaps } = tellOf(events, 'telemetry', 'level');
  const missing = gaps.reduce((sum, { changes }) => sum + changes, 0);
  assert.ok(gaps.every(({ reason }) => reason === 'compacted') && missing > 1000, JSON.stringify(gaps));
  assert.equal(values.length + missing, 2000);
  assert.deepEqual(
    values.map(Number),
    values.map(Number).toSorted((a, b) => a - b),
  );
});

interface Drained {
  readonly arrived: number[];
  readonly named: number;
  readonly newest: number;
}

/** Everything that waits in a store, as the uplink would find it, and what it should add up to. */
async function drain(dataDir: string): Promise<Drained> {
  const store = new EdgeStore({ dataDir }, { logger: silentLogger });
  await store.start(NEVER);
  const tools = { store, clock: new ManualClock(), incarnation: () => 'i', logger: silentLogger };
  const outbox = new Outbox({ limit: mebibytes(512), age: seconds(3600) }, tools);
  await outbox.start(NEVER);
  const changes: Change[] = [];
  for (const chain of [...outbox.chains()]) {
    let last = 0;
    while (outbox.waiting(chain) > 0) {
      const entries = await outbox.oldest(chain, 100);
      for (const { sequence, fact } of entries) {
        assert.ok(sequence > last, 'out of order');
        last = sequence;
        changes.push(...fact.changes);
      }
      outbox.acknowledge(chain, { acknowledged: last, streamSequence: last });
    }
  }
  await outbox.stop(Deadline.after(seconds(2)));
  await store.stop(Deadline.after(seconds(2)));
  const named = changes.reduce((sum, change) => (change.kind === 'gap' ? sum + change.changes : sum), 0);
  const arrived = changes.flatMap((change) => (change.kind === 'reported' ? [change.n] : []));
  return { arrived, named, newest: outbox.newest };
}

void test('killed while it makes room, again and again, everything enlisted is there once or named once', async () => {
  await using dir = await tempDir();
  const script = fileURLToPath(new URL('./enlisting-child.js', import.meta.url));
  const spoken = new Set<number>();
  for (let life = 0; life < 4; life += 1) {
    const begin = 1 + life * 1_000_000;
    const child = spawn(process.execPath, [script, dir.path, String(LIMIT), String(begin)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let said = '';
    child.stdout.on('data', (chunk: Buffer) => (said += chunk.toString()));
    // At 200,000 bytes room is made at every hundred facts or so: it is killed in the middle of that, or close to it.
    await waitUntil('many facts', () => said.length > 15_000 + life * 1733);
    const exited = once(child, 'close');
    child.kill('SIGKILL');
    await exited;
    // The last line may be cut.
    for (const line of said.split('\n').slice(0, -1)) spoken.add(Number(line));
  }
  assert.ok((await diskUse(join(dir.path, 'store'))) < 20 * LIMIT);

  const { arrived, named, newest } = await drain(dir.path);

  assert.equal(new Set(arrived).size, arrived.length, 'doubled');
  assert.equal(arrived.length + named, newest, 'what is there and what is named is not all that was enlisted');
  assert.ok(newest >= spoken.size && named > 1000);
  assert.ok(
    arrived.some((n) => n > 3_000_000),
    'the newest are kept',
  );
});

void test('facts that became too old are dropped with a marker that says so, and no clock that was set makes them old', async () => {
  await using dir = await tempDir();
  const clock = new ManualClock(Date.UTC(1970, 0, 1));
  const store = new EdgeStore({ dataDir: dir.path }, { logger: silentLogger });
  await store.start(NEVER);
  const tools = { store, clock, incarnation: () => 'i', logger: silentLogger };
  const outbox = new Outbox({ limit: mebibytes(1), age: seconds(3600) }, tools);
  await outbox.start(NEVER);
  const chain = 'skerry.n1.up.twin.default.boiler';
  const enlist = (n: number): Promise<void> => {
    const change = { kind: 'state', state: 'online', n } as const;
    const device = { namespace: 'default', name: 'boiler' };
    const fact: Fact = { device, uid: 'u', binding: 1, at: n, changes: [change] };
    return store.commit((tx) => outbox.enlist(tx, chain, fact));
  };
  await enlist(1);
  await enlist(2);
  clock.setTo(Date.UTC(2026, 0, 1));
  clock.advance(1);
  await waitUntil('a sweep', () => ageNoted(store));
  assert.equal(outbox.waiting(chain), 2);

  clock.advance(3_600_000);
  await enlist(3);
  await waitUntil('the old ones to go', () => outbox.waiting(chain) === 2);

  const [marker, young] = await outbox.oldest(chain, 10);
  assert.deepEqual(marker?.fact.changes, [
    { kind: 'gap', reason: 'age', changes: 2, from: 1, through: 2, since: 1, until: 2 },
  ]);
  assert.equal(young?.sequence, 3);
  assert.match(outbox.health().reason ?? '', /--outbox-age/);
  assert.equal(outbox.statistics().dropped.twin.age, 2);
  await outbox.stop(Deadline.after(seconds(2)));
  await store.stop(Deadline.after(seconds(2)));
});

async function ageNoted(store: EdgeStore): Promise<boolean> {
  for await (const _ of store.keys({ name: 'age-mark' })) return true;
  return false;
}
