// An edge node that is killed again and again, by a seed, under traffic at QoS 1 and 2 for sessions that are there, that come and
// go, and that are away: what was acknowledged reaches all of them, and nothing of QoS 2 reaches one twice.
import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { seededRandom } from '../../src/kit/random.ts';
import { ExactPublisher, ExactSubscriber, type Received } from './exact-clients.ts';
import { LoneNode } from './lone-node.ts';
import { valueOf } from './metrics.ts';
import { waitUntil } from './wait-until.ts';

/** Each says its next number when the last was acknowledged, so that its topic has an order. */
interface Lane {
  readonly topic: string;
  readonly qos: 1 | 2;
  /** The answer's topic, of a device's. */
  readonly answer?: string;
  readonly accepted: number[];
  /** In which life of the node each of them was acknowledged. */
  readonly lives: number[];
  next: number;
}

const DEVICE = '$hw/events/device';

function createLanes(): Lane[] {
  const ordinary = [1, 1, 1, 2, 2, 2].map((qos, at) => ({ topic: `count/${at}`, qos }));
  const devices = [1, 2].map((qos) => {
    const topic = `${DEVICE}/counter-${qos}/twin/update`;
    return { topic, qos, answer: `${topic}/result` };
  });
  return [...ordinary, ...devices].map((lane) => ({ ...lane, accepted: [], lives: [], next: 0 }) as unknown as Lane);
}

const FILTERS = {
  /** Overlapping, the narrower ones lower: the highest of those that match counts (MQTT-3.3.5-1). */
  here: { 'count/#': 2, 'count/+': 1, 'count/4': 1, [`${DEVICE}/+/twin/update`]: 2 },
  once: { 'count/#': 0, 'count/+': 1, [`${DEVICE}/+/twin/update/result`]: 1 },
  roaming: { 'count/#': 1, 'count/+': 2, [`${DEVICE}/#`]: 2 },
  away: { 'count/+': 2, [`${DEVICE}/+/twin/update`]: 2, [`${DEVICE}/+/twin/update/result`]: 1 },
} as const satisfies Readonly<Record<string, Readonly<Record<string, 0 | 1 | 2>>>>;

const numberOf = (payload: string): number => {
  const value = JSON.parse(payload) as number | { readonly event_id: string };
  return typeof value === 'number' ? value : Number(value.event_id);
};

const payloadOf = ({ answer }: Lane, n: number): string =>
  answer === undefined ? String(n) : JSON.stringify({ event_id: String(n), twin: {} });

class Traffic {
  readonly lanes = createLanes();
  readonly publisher: ExactPublisher;
  life = 0;
  #isOver = false;

  constructor(port: number) {
    this.publisher = new ExactPublisher('publisher', port);
  }

  begin(): void {
    this.publisher.come();
    for (const lane of this.lanes) this.#say(lane);
  }

  get accepted(): number {
    return this.lanes.reduce((sum, { accepted }) => sum + accepted.length, 0);
  }

  async end(): Promise<void> {
    this.#isOver = true;
    await waitUntil('everything to be acknowledged', () => this.publisher.unfinished === 0);
  }

  #say(lane: Lane): void {
    const n = lane.next;
    lane.next += 1;
    this.publisher.publish(lane.topic, payloadOf(lane, n), lane.qos, () => {
      lane.accepted.push(n);
      lane.lives.push(this.life);
      if (!this.#isOver) this.#say(lane);
    });
  }
}

interface Schedule {
  readonly kills: number;
  readonly seed: number;
}

/** Runs the schedule, and then asserts. */
export async function killUnderTraffic(t: TestContext, { kills, seed }: Schedule): Promise<void> {
  const random = seededRandom(seed);
  const node = await LoneNode.started(t);
  const stumbling = (subscriber: ExactSubscriber): void => {
    if (random() < 0.005) subscriber.stumble();
  };
  const subscribers = Object.entries(FILTERS).map(
    ([id, filters]) => new ExactSubscriber({ id, port: node.port, filters }, stumbling),
  );
  const [, , roaming, away] = subscribers as [ExactSubscriber, ExactSubscriber, ExactSubscriber, ExactSubscriber];
  for (const subscriber of subscribers) subscriber.come();
  await waitUntil('all to be subscribed', () => subscribers.every(({ isSubscribed }) => isSubscribed));
  away.go();
  const traffic = new Traffic(node.port);
  t.after(() => [traffic.publisher, ...subscribers].forEach((client) => client.go()));

  traffic.begin();
  for (let kill = 1; kill <= kills; kill += 1) {
    const from = traffic.accepted;
    const many = 1 + 80 * random();
    await waitUntil(`traffic before kill ${kill}`, () => traffic.accepted > from + many);
    if (random() < 0.4) roaming.go();
    else roaming.come();
    await delay(20 * random());
    await node.kill();
    traffic.life += 1;
    while (random() < 0.2) await dieStarting(node, 600 * random());
    await node.start();
  }
  await traffic.end();
  for (const subscriber of subscribers) subscriber.come();
  await drained(node, subscribers, traffic.lanes);
  report(t, { subscribers, traffic, seed });
  for (const subscriber of subscribers) check(subscriber, traffic.lanes);
}

/** Killed before it serves, or as soon as it does. */
async function dieStarting(node: LoneNode, afterMs: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const spawned = (pid: number): void => {
    timer = setTimeout(() => process.kill(pid, 'SIGKILL'), afterMs);
  };
  await node.start(spawned).catch(() => undefined);
  clearTimeout(timer);
  await node.kill();
}

/** Everybody has all, no session waits for anything, and nothing is on the way. */
async function drained(node: LoneNode, subscribers: readonly ExactSubscriber[], lanes: readonly Lane[]): Promise<void> {
  const missing = (): string[] => subscribers.flatMap((one) => missingTo(one, lanes));
  await waitUntil('every subscriber to have all', () => missing().length === 0).catch((cause: unknown) => {
    throw new Error(missing().join('; '), { cause });
  });
  let queued: number | undefined;
  await waitUntil('no session to wait for a message', async () => {
    const scrape = await fetch(`${node.program.text('http')}/metrics`);
    queued = valueOf(await scrape.text(), 'skerry_broker_queued_messages');
    return queued === 0;
  }).catch((cause: unknown) => {
    throw new Error(`${String(queued)} messages are still queued`, { cause });
  });
  const unanswered = new Set(subscribers);
  for (const subscriber of subscribers) void subscriber.ping().then(() => unanswered.delete(subscriber));
  await waitUntil('every subscriber to have an answer', () => unanswered.size === 0).catch((cause: unknown) => {
    throw new Error(`no answer to the ping of ${[...unanswered].map(({ id }) => id).join(', ')}`, { cause });
  });
}

const numbersOn = (received: readonly Received[], wanted: string): number[] =>
  received.flatMap(({ topic, payload }) => (topic === wanted ? [numberOf(payload)] : []));

const grantedAt = ({ id }: ExactSubscriber, topic: string): 0 | 1 | 2 | undefined => {
  const filters: Readonly<Record<string, 0 | 1 | 2>> = FILTERS[id as keyof typeof FILTERS];
  const granted = Object.entries(filters).flatMap(([filter, qos]) => (matches(filter, topic) ? [qos] : []));
  return granted.length === 0 ? undefined : (Math.max(...granted) as 0 | 1 | 2);
};

const matches = (filter: string, topic: string): boolean =>
  new RegExp(`^${filter.replaceAll('$', '\\$').replace('/#', '(/.*)?').replaceAll('+', '[^/]*')}$`).test(topic);

function missingTo(subscriber: ExactSubscriber, lanes: readonly Lane[]): string[] {
  return lanes.flatMap(({ topic, accepted }) => {
    if (grantedAt(subscriber, topic) === undefined) return [];
    const got = new Set(numbersOn(subscriber.received, topic));
    const lost = accepted.filter((n) => !got.has(n));
    return lost.length === 0 ? [] : [`${subscriber.id} lacks ${lost.join(', ')} on ${topic}`];
  });
}

function check(subscriber: ExactSubscriber, lanes: readonly Lane[]): void {
  const { id, received, sessionsPresent } = subscriber;
  assert.ok(sessionsPresent.slice(1).every(Boolean), `${id} did not find its session again`);
  for (const lane of lanes) {
    const granted = grantedAt(subscriber, lane.topic);
    if (granted === undefined) continue;
    const numbers = numbersOn(received, lane.topic);
    const first = [...new Set(numbers)];
    const lost = lane.accepted.filter((n) => !first.includes(n));
    assert.deepEqual(lost, [], `${id} lost what was acknowledged on ${lane.topic}`);
    assert.deepEqual(
      first,
      first.toSorted((a, b) => a - b),
      `${id} got ${lane.topic} out of order`,
    );
    if (Math.min(granted, lane.qos) < 2) continue;
    const doubled = numbers.filter((n, at) => numbers.indexOf(n) !== at);
    assert.deepEqual(doubled, [], `${id} got messages of QoS 2 on ${lane.topic} twice`);
    const lower = received.filter(({ topic, qos }) => topic === lane.topic && qos < 2);
    assert.deepEqual(lower, [], `${id} got ${lane.topic} at less than QoS 2`);
  }
  for (const lane of lanes) if (lane.answer !== undefined) checkAnswers(subscriber, lane);
}

/**
 * An answer is derived after its request was kept, and not promised: a kill may take those of the last moment, which are to the last
 * requests of one life of the node, and to the one that it kept and acknowledged only in the next. None before these may be missing.
 */
function checkAnswers(subscriber: ExactSubscriber, { topic, answer = '', accepted, lives, qos }: Lane): void {
  if (grantedAt(subscriber, answer) === undefined) return;
  const got = new Set(numbersOn(subscriber.received, answer));
  for (const [at, n] of accepted.entries()) {
    const isFirst = lives[at - 1] !== lives[at];
    const next = lives[at + 1] === lives[at] ? accepted[at + 1] : undefined;
    if (isFirst || next === undefined || got.has(n)) continue;
    assert.ok(!got.has(next), `${subscriber.id}: no answer to ${n} on ${topic} at QoS ${qos}`);
  }
}

function report(
  t: TestContext,
  {
    subscribers,
    traffic,
    seed,
  }: { readonly subscribers: readonly ExactSubscriber[]; readonly traffic: Traffic; readonly seed: number },
): void {
  const deliveries = subscribers.map(
    ({ id, received, sessionsPresent }) => `${id} ${received.length} over ${sessionsPresent.length} connections`,
  );
  t.diagnostic(`seed ${seed}: ${traffic.accepted} acknowledged in ${traffic.life + 1} lives; ${deliveries.join(', ')}`);
  const missing = traffic.lanes.flatMap(({ answer, accepted }) =>
    answer === undefined
      ? []
      : subscribers.flatMap((one) => {
          if (grantedAt(one, answer) === undefined) return [];
          const got = new Set(numbersOn(one.received, answer));
          return accepted.filter((n) => !got.has(n));
        }),
  );
  t.diagnostic(`answers lost in the last moment before a kill: ${missing.length}`);
}
