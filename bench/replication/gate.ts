// Durable twin updates per second, the gate driven directly in this process, beside the same batches of the same bytes written
// to LevelDB by nobody but LevelDB.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ClassicLevel } from 'classic-level';
import { Ingress } from '../../src/edge/ingress/ingress.ts';
import { PRESENCE_TIMES } from '../../src/edge/ingress/presence.ts';
import { PresenceBook } from '../../src/edge/ingress/presence-book.ts';
import { RedeliveryRecords } from '../../src/edge/ingress/redelivery.ts';
import { DesiredObjects } from '../../src/edge/meta/desired-objects.ts';
import { Outbox } from '../../src/edge/outbox/outbox.ts';
import { EdgeStore } from '../../src/edge/store/edge-store.ts';
import { Transaction, type Operation } from '../../src/edge/store/transaction.ts';
import { TwinBook } from '../../src/edge/twin/twin-book.ts';
import { TwinHistory } from '../../src/edge/twin/twin-history.ts';
import { systemClock } from '../../src/kit/clock.ts';
import { Deadline } from '../../src/kit/deadline.ts';
import { silentLogger } from '../../src/kit/logger.ts';
import { mebibytes, seconds } from '../../src/kit/units.ts';
import { chainSubject, messageSubject } from '../../src/wire/nats-subjects.ts';
import { perSecond, printRows, ratio, type Row } from '../table.ts';

const DEVICES = [1, 100, 1000];
const UPDATES = 60_000;
const WARM_UP = 20_000;
const IN_FLIGHT = 1000;
/** What `skerry edge` keeps of each property unless it is told otherwise. */
const HISTORY = 100;

type Batch = readonly Operation[];

export async function benchGate(): Promise<void> {
  await run(DEVICES[1] ?? 1, WARM_UP);
  const rows: Row[] = [];
  for (const devices of DEVICES) rows.push(await rowFor(devices));
  printRows(`The gate, saturated: ${IN_FLIGHT} publications in flight, in process`, rows);
}

async function rowFor(devices: number): Promise<Row> {
  const measured = await run(devices, UPDATES);
  const unremembered = await run(devices, UPDATES, { history: 0 });
  const { batches } = await run(devices, UPDATES, { isRecorded: true });
  const raw = await replay(batches);
  const operations = batches.reduce((sum, batch) => sum + batch.length, 0);
  const perBatch = Math.round(UPDATES / batches.length);
  const bytes = Math.round(bytesOf(batches) / UPDATES);
  return {
    what: `durable twin updates/s, ${devices} ${devices === 1 ? 'device' : 'devices'}`,
    figure: perSecond(UPDATES, measured.elapsed).toString(),
    beside:
      `${ratio(unremembered.elapsed, measured.elapsed)} of the same without history; ${ratio(raw.elapsed, measured.elapsed)} of raw group commit, ${perSecond(UPDATES, raw.elapsed)}/s of the same ${bytes} bytes ` +
      `(${operations} operations, ${perBatch} updates per synced batch)`,
  };
}

interface Run {
  readonly elapsed: number;
  readonly batches: readonly Batch[];
}

interface How {
  readonly isRecorded?: boolean;
  readonly history?: number;
}

async function run(
  devices: number,
  updates: number,
  { isRecorded = false, history = HISTORY }: How = {},
): Promise<Run> {
  const dataDir = await mkdtemp(join(tmpdir(), 'skerry-bench-'));
  const batches: Batch[] = [];
  // eslint-disable-next-line @typescript-eslint/unbound-method -- called with `call`, and put back as it was
  const operationsOf = Transaction.prototype.operations;
  const store = new EdgeStore({ dataDir }, { logger: silentLogger });
  await store.start(new AbortController().signal);
  const ingress = await prepare(store, devices, history);
  if (isRecorded) {
    Transaction.prototype.operations = function record(this: Transaction) {
      const operations = operationsOf.call(this);
      batches.push(operations);
      return operations;
    };
  }
  const begun = performance.now();
  await drive(ingress, devices, updates);
  const elapsed = performance.now() - begun;
  Transaction.prototype.operations = operationsOf;
  await store.stop(Deadline.after(seconds(5)));
  await rm(dataDir, { recursive: true });
  return { elapsed, batches };
}

async function prepare(store: EdgeStore, devices: number, history: number): Promise<Ingress> {
  const objects = new DesiredObjects();
  await store.commit((tx) => {
    for (let device = 0; device < devices; device += 1) {
      const properties = [{ name: 'number', type: 'INT', accessMode: 'ReadOnly' }] as const;
      const identity = { namespace: 'default', name: `d${device}`, uid: `u${device}`, binding: 1 };
      const definition = { ...identity, protocol: 'virtualProtocol', properties };
      objects.put(tx, { key: `bench.device.default.d${device}`, revision: device + 1, fingerprint: '', definition });
    }
  });
  const limits = { limit: mebibytes(512), age: seconds(30 * 24 * 3600) };
  const outbox = new Outbox(limits, { store, clock: systemClock, incarnation: () => 'bench', logger: silentLogger });
  const nobody = (): void => undefined;
  return new Ingress(
    { node: 'bench', chain: messageSubject('bench'), uploads: ['+/user/#'] },
    {
      store,
      twins: new TwinBook(new TwinHistory(history, { store, clock: systemClock })),
      outbox,
      seen: new RedeliveryRecords(),
      definitionOf: (device) => objects.device(device),
      definitions: () => objects.devices(),
      chainOf: (chainClass, device) => chainSubject('bench', chainClass, device),
      answers: {
        ...{ updated: nobody, desiredChanged: nobody, refused: nobody },
        ...{ twinRead: nobody, stateUpdated: nobody, membershipRead: nobody },
      },
      presence: new PresenceBook(PRESENCE_TIMES),
      clock: systemClock,
      logger: silentLogger,
    },
  );
}

async function drive(ingress: Ingress, devices: number, updates: number): Promise<void> {
  let sent = 0;
  const publish = async (): Promise<void> => {
    while (sent < updates) {
      const number = (sent += 1);
      const text = `{"event_id":"b-${number}","timestamp":0,"twin":{"number":{"actual":{"value":"${number}"}}}}`;
      const admission = await ingress.admit({
        clientId: 'bench',
        topic: `$hw/events/device/default/d${number % devices}/twin/update`,
        payload: Buffer.from(text),
        qos: 1,
        packetId: (number % 65_535) + 1,
        duplicate: false,
      });
      if (admission.kind !== 'admit') throw new Error(`update ${number}: ${JSON.stringify(admission)}`);
    }
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, publish));
}

async function replay(batches: readonly Batch[]): Promise<{ readonly elapsed: number }> {
  const dataDir = await mkdtemp(join(tmpdir(), 'skerry-bench-raw-'));
  const level = new ClassicLevel(join(dataDir, 'store'), {
    writeBufferSize: 2 * 1024 * 1024,
    cacheSize: 2 * 1024 * 1024,
  });
  await level.open();
  const begun = performance.now();
  for (const operations of batches) {
    const batch = level.batch();
    for (const operation of operations) {
      if (operation.type === 'put') batch.put(operation.key, operation.value);
      else batch.del(operation.key);
    }
    await batch.write({ sync: true });
  }
  const elapsed = performance.now() - begun;
  await level.close();
  await rm(dataDir, { recursive: true });
  return { elapsed };
}

function bytesOf(batches: readonly Batch[]): number {
  let bytes = 0;
  for (const batch of batches)
    for (const operation of batch) bytes += operation.key.length + ('value' in operation ? operation.value.length : 0);
  return bytes;
}
