// One measurement against one broker: connects its clients, keeps so many messages under way for a while (messages/s, and the share
// of a core that broker and generator took), then sends at a steady pace (latency).
import { setTimeout as delay } from 'node:timers/promises';
import { percentile } from '../table.ts';
import { cpuSeconds } from './cpu.ts';
import { openPublisher, openSubscriber, removeSession, type Publisher, type Subscriber } from './clients.ts';

export interface Job {
  readonly name: string;
  readonly port: number;
  /** Whose time is watched. */
  readonly brokerPid: number;
  readonly publishers: number;
  readonly subscribers: number;
  readonly qos: 0 | 1 | 2;
  /** False: the subscribers' sessions outlive their connections. */
  readonly clean: boolean;
  readonly size: number;
  /** Of each publisher: sent, and not yet both acknowledged and delivered to every subscriber. */
  readonly window: number;
  readonly warmUpMs: number;
  readonly saturatedMs: number;
  /** Messages/s of the paced part. */
  readonly pace: number;
  readonly pacedMs: number;
}

/** A job without what the broker adds to it. */
export type Load = Omit<Job, 'name' | 'port' | 'brokerPid'>;

export interface Result {
  /** Published, acknowledged and delivered to every subscriber. */
  readonly messagesPerSecond: number;
  /** Of one core, while saturated. */
  readonly brokerShare: number;
  readonly generatorShare: number;
  /** From PUBLISH sent to PUBLISH received, at the steady pace, in milliseconds. */
  readonly p50: number;
  readonly p99: number;
  readonly missing: number;
}

const DRAIN_MS = 5000;

export async function runJob(job: Job): Promise<Result> {
  const traffic = new Traffic(job);
  const subscribers: Subscriber[] = [];
  for (let place = 0; place < job.subscribers; place += 1)
    subscribers.push(await openSubscriber(job, place, (publisher, sentAt) => traffic.delivered(publisher, sentAt)));
  for (let place = 0; place < job.publishers; place += 1)
    traffic.publishers.push(await openPublisher(job, place, () => traffic.acknowledged(place)));
  for (const subscriber of subscribers) subscriber.onChunk = () => traffic.topUpAll();
  for (const [place, publisher] of traffic.publishers.entries()) publisher.onChunk = () => traffic.topUp(place);
  const saturated = await saturate(job, traffic);
  const { p50, p99 } = await pace(job, traffic);
  for (const client of [...subscribers, ...traffic.publishers]) client.close();
  if (!job.clean) for (let place = 0; place < job.subscribers; place += 1) await removeSession(job, place);
  return { ...saturated, p50, p99, missing: traffic.missing };
}

type Saturated = Pick<Result, 'messagesPerSecond' | 'brokerShare' | 'generatorShare'>;

async function saturate(job: Job, traffic: Traffic): Promise<Saturated> {
  traffic.isSaturating = true;
  traffic.topUpAll();
  await delay(job.warmUpMs);
  const before = [performance.now(), traffic.completed, cpuSeconds(job.brokerPid), cpuSeconds(process.pid)] as const;
  await delay(job.saturatedMs);
  const after = [performance.now(), traffic.completed, cpuSeconds(job.brokerPid), cpuSeconds(process.pid)] as const;
  traffic.isSaturating = false;
  const seconds = (after[0] - before[0]) / 1000;
  await traffic.drain();
  return {
    messagesPerSecond: (after[1] - before[1]) / seconds,
    brokerShare: (after[2] - before[2]) / seconds,
    generatorShare: (after[3] - before[3]) / seconds,
  };
}

async function pace(job: Job, traffic: Traffic): Promise<Pick<Result, 'p50' | 'p99'>> {
  traffic.latencies = [];
  const begun = performance.now();
  const most = (job.pace * job.pacedMs) / 1000;
  for (let sent = 0; sent < most;) {
    const due = Math.min(most, Math.floor(((performance.now() - begun) * job.pace) / 1000) + 1);
    for (; sent < due; sent += 1) traffic.publishers[sent % job.publishers]?.send(1);
    await delay(1);
  }
  await traffic.drain();
  const { latencies } = traffic;
  traffic.latencies = undefined;
  return { p50: percentile(latencies, 0.5), p99: percentile(latencies, 0.99) };
}

/** What is under way. A publisher sends again as soon as one of its own is done: no batches but those that come by themselves. */
class Traffic {
  readonly publishers: Publisher[] = [];
  isSaturating = false;
  latencies: number[] | undefined;
  readonly #job: Job;
  readonly #acknowledged: number[];
  readonly #delivered: number[];
  #deliveries = 0;

  constructor(job: Job) {
    this.#job = job;
    this.#acknowledged = new Array<number>(job.publishers).fill(0);
    this.#delivered = new Array<number>(job.publishers).fill(0);
  }

  /** Messages that reached every subscriber, on the average. */
  get completed(): number {
    return this.#deliveries / this.#job.subscribers;
  }

  get missing(): number {
    let missing = 0;
    for (const [place, { sent }] of this.publishers.entries()) missing += sent - this.#done(place);
    return missing;
  }

  acknowledged(publisher: number): void {
    this.#acknowledged[publisher]! += 1;
  }

  delivered(publisher: number, sentAt: number): void {
    this.#deliveries += 1;
    this.#delivered[publisher]! += 1;
    this.latencies?.push(performance.now() - sentAt);
  }

  topUpAll(): void {
    if (!this.isSaturating) return;
    for (let place = 0; place < this.publishers.length; place += 1) this.topUp(place);
  }

  topUp(place: number): void {
    const publisher = this.publishers[place]!;
    const room = this.#job.window - publisher.sent + this.#done(place);
    if (this.isSaturating && room > 0) publisher.send(room);
  }

  async drain(): Promise<void> {
    const end = performance.now() + DRAIN_MS;
    while (this.missing > 0 && performance.now() < end) await delay(1);
  }

  #done(publisher: number): number {
    const delivered = Math.floor(this.#delivered[publisher]! / this.#job.subscribers);
    return this.#job.qos === 0 ? delivered : Math.min(delivered, this.#acknowledged[publisher]!);
  }
}
