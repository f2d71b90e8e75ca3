// Sends mutated payloads to a running node, each with its acknowledgement and its one answer, and looks at the twin behind each.
import assert from 'node:assert/strict';
import { setTimeout as delay } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { MqttClient } from 'mqtt';
import type { DeviceDefinition } from '../../../src/model/device.ts';
import type { Twin } from '../../../src/model/twin.ts';
import { EdgeWorld, report } from '../../integration/edge/edge-world.ts';
import { waitUntil } from '../../support/wait-until.ts';
import { mutants, type Mutant, type Request } from './mutants.ts';

const ROOT = '$hw/events/device/plant';
const QOS1 = { qos: 1 } as const;
const LANES = 8;
/** A value of the witness for so many mutants. */
const MUTANTS_PER_VALUE = 20;

const MODEL: DeviceDefinition['properties'] = [
  { name: 'count', type: 'INT', accessMode: 'ReadWrite' },
  { name: 'setpoint', type: 'INT', accessMode: 'ReadWrite', minimum: '0', maximum: '95', desired: '20' },
];

const deviceNamed = (name: string): DeviceDefinition => ({
  ...{ namespace: 'plant', name, uid: `uid-${name}`, binding: 1, protocol: 'virtual' },
  properties: MODEL,
});

/** What came on the result topics, until it was asked for. */
class Answers {
  readonly #came = new Map<string, string[]>();
  readonly #waiting = new Map<string, () => void>();

  take(topic: string, payload: string): void {
    this.on(topic).push(payload);
    this.#waiting.get(topic)?.();
  }

  on(topic: string): string[] {
    const came = this.#came.get(topic) ?? [];
    this.#came.set(topic, came);
    return came;
  }

  async next(topic: string): Promise<string> {
    if (this.on(topic).length === 0)
      await new Promise<void>((resolve, reject) => {
        const late = setTimeout(() => reject(new Error(`no answer came on ${topic}`)), 10_000);
        this.#waiting.set(topic, () => {
          clearTimeout(late);
          resolve();
        });
      });
    return this.on(topic).shift() ?? '';
  }
}

const resultTopic = (device: string, request: Request): string => `${ROOT}/${device}/${request}/result`;

export interface Fuzzed {
  readonly refused: number;
  readonly applied: number;
  /** Bytes of the heap that are still in use when everything is settled and the devices are gone, beyond those before. */
  readonly leftInMemory: number;
}

export async function fuzzTwins(count: number, seed: number): Promise<Fuzzed> {
  await using world = await EdgeWorld.open();
  const { witness, lanes, answers } = await openWorld(world);
  const before = await heapInUse();
  const source = mutants(seed);
  const tally = { refused: 0, applied: 0 };
  let sent = 0;
  const told: string[] = [];
  const runLane = async (name: string, client: MqttClient): Promise<void> => {
    let twin = await twinOf(world, name);
    while (sent < count) {
      sent += 1;
      const mutant = source.next().value as Mutant;
      const isRefused = await naming(mutant, `seed ${seed}, mutant ${sent}`, async () => {
        assertNoneLeft(answers, name);
        await client.publishAsync(`${ROOT}/${name}/${mutant.request}`, mutant.payload, QOS1);
        const answer = JSON.parse(await answers.next(resultTopic(name, mutant.request))) as object;
        assert.ok('event_id' in answer);
        const isError = 'code' in answer;
        const now = await twinOf(world, name);
        if (isError) assert.equal(now, twin, 'a refused payload changed the twin');
        twin = now;
        return isError;
      });
      tally[isRefused ? 'refused' : 'applied'] += 1;
      if (sent % MUTANTS_PER_VALUE === 0) await tellWitness();
    }
  };
  const tellWitness = async (): Promise<void> => {
    told.push(String(told.length + 1));
    await witness.publishAsync(`${ROOT}/witness/twin/update`, report('count', told.length), QOS1);
  };
  await Promise.all(lanes.map(({ name, client }) => runLane(name, client)));

  await settled(world, answers, told);
  return { ...tally, leftInMemory: (await memoryWithoutDevices(world, lanes)) - before };
}

/** Of states the node speaks by itself as well. */
function assertNoneLeft(answers: Answers, device: string): void {
  for (const request of ['twin/update', 'twin/get'] as const)
    assert.deepEqual(answers.on(resultTopic(device, request)), [], 'more than one answer to the mutant before');
  answers.on(resultTopic(device, 'state/update')).length = 0;
}

async function openWorld(world: EdgeWorld) {
  await world.startEdge();
  const names = Array.from({ length: LANES }, (_, place) => `fuzzed-${place}`);
  for (const name of [...names, 'witness']) await world.put(deviceNamed(name));
  await waitUntil('the devices to be known', async () => (await twinOf(world, 'witness')).includes('setpoint'));
  for (const name of names) await waitUntil(name, async () => (await twinOf(world, name)).includes('setpoint'));
  const answers = new Answers();
  const listener = await world.client();
  listener.on('message', (topic, payload) => answers.take(topic, payload.toString()));
  await listener.subscribeAsync(`${ROOT}/+/+/+/result`, QOS1);
  const lanes = await Promise.all(names.map(async (name) => ({ name, client: await world.client() })));
  return { witness: await world.client(), lanes, answers };
}

async function settled(world: EdgeWorld, answers: Answers, told: readonly string[]): Promise<void> {
  const ofWitness = answers.on(resultTopic('witness', 'twin/update'));
  await waitUntil('the answers to the witness', () => ofWitness.length >= told.length);
  assert.equal(ofWitness.length, told.length);
  assert.ok(ofWitness.every((answer, place) => answer.includes(`"value":"${told[place] ?? ''}"`)));
  await waitUntil('the outbox to be empty', async () => (await statusOf(world))['backlog'] === 0);
  assert.deepEqual(await world.reported('count', 'witness'), told);
  for (let place = 0; place < LANES; place += 1) assertNoneLeft(answers, `fuzzed-${place}`);
  assert.equal(world.edge?.health().state, 'ok');
  assert.deepEqual(world.log.warnings, []);
}

async function memoryWithoutDevices(world: EdgeWorld, lanes: readonly { readonly name: string }[]): Promise<number> {
  for (const { name } of lanes) await world.remove(deviceNamed(name));
  await waitUntil('the devices to be gone', async () => !(await fetchJson(world, '/twins')).includes('fuzzed'));
  return heapInUse();
}

async function heapInUse(): Promise<number> {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  // What is finalised in one round is collected in the next.
  for (let round = 0; round < 3; round += 1) {
    await delay(50);
    collect();
  }
  return process.memoryUsage().heapUsed;
}

const fetchJson = async (world: EdgeWorld, path: string): Promise<string> =>
  (await (await fetch(`${world.edge?.addresses.http ?? ''}${path}`)).text()).trim();

/** Of the state the word alone: who vouches for the device, and since when, is the node's own observation and comes when it does. */
async function twinOf(world: EdgeWorld, name: string): Promise<string> {
  const { state, ...twin } = JSON.parse(await fetchJson(world, `/twins/plant/${name}`)) as Partial<Twin>;
  return JSON.stringify({ ...twin, state: state?.state });
}

const statusOf = async (world: EdgeWorld): Promise<Record<string, unknown>> =>
  JSON.parse(await fetchJson(world, '/status')) as Record<string, unknown>;

/** A failure says with which payload it happened. */
async function naming<T>({ request, payload }: Mutant, place: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const shown = JSON.stringify(payload.subarray(0, 2000).toString('latin1'));
    throw new Error(`${place}, ${request} with ${payload.length} bytes: ${shown}`, { cause: error });
  }
}
