// One run from the first process to the verdict: start, publish while things are killed and cut, let everything arrive, compare.
// Ended early it still drains and compares; it never judges what is still under way.
import { Deadline } from '../../kit/deadline.ts';
import type { Logger } from '../../kit/logger.ts';
import { sleep } from '../../kit/sleep.ts';
import { ms, seconds } from '../../kit/units.ts';
import { cliErrors } from '../errors.ts';
import { STOP_WITHIN } from '../run-service.ts';
import type { ChaosPlan } from './chaos-plan.ts';
import { saidTo, sumOf, type ChaosReport } from './chaos-report.ts';
import { ChaosSite } from './chaos-site.ts';
import { findingsOf, staleDevices, tallyStream, type Tallies } from './comparison.ts';
import { movesOf, textOf, type Cut, type Move, type Victim } from './fault-schedule.ts';
import { Publishing } from './publishing.ts';
import { settle, type Waiting } from './settle.ts';
import { StatusWatch } from './status-watch.ts';

export interface ChaosPlaces {
  readonly dataDir: string;
  readonly kubeconfig: string;
  readonly nats: string;
  readonly mqtt: readonly string[];
}

export interface ChaosProgress {
  readonly phase: 'faults' | 'drain';
  readonly published: number;
  readonly acknowledged: number;
  /** What is not where it should be, in words. */
  readonly waiting: string;
}

export interface ChaosListener {
  onStarted(places: ChaosPlaces): void;
  /** @param after seconds since the faults began */
  onMove(text: string, after: number): void;
  onProgress(progress: ChaosProgress): void;
  onPhase(sentence: string): void;
}

export interface ChaosTools {
  readonly listener: ChaosListener;
  readonly logger: Logger;
  /** Ends the faults early. */
  readonly enough: AbortSignal;
}

const PROGRESS_EVERY = ms(500);
/** As long as something still gets less, draining takes what it takes. */
const DRAIN_PATIENCE = seconds(60);
/** The watch may be between two connections when everything else is over. */
const WATCHED_WITHIN = seconds(10);

/** False when the signal came first. */
async function until(moment: number, signal: AbortSignal): Promise<boolean> {
  return (await sleep(ms(Math.max(0, moment - performance.now())), signal)) === 'elapsed';
}

const tenths = (milliseconds: number): number => Math.round(milliseconds / 100) / 10;

const NEVER = new AbortController().signal;

export class ChaosRun {
  readonly #plan: ChaosPlan;
  readonly #tools: ChaosTools;
  readonly #site: ChaosSite;
  readonly #watch: StatusWatch;
  readonly #publishing: Publishing;
  readonly #kills: Record<Victim, number> = { edge: 0, hub: 0, nats: 0 };
  #partitions = 0;

  private constructor(plan: ChaosPlan, site: ChaosSite, tools: ChaosTools) {
    this.#plan = plan;
    this.#tools = tools;
    this.#site = site;
    this.#watch = new StatusWatch(site.kubeconfig);
    this.#publishing = new Publishing(site.mqttUrls, plan.devices, tools);
  }

  static async create(plan: ChaosPlan, tools: ChaosTools): Promise<ChaosRun> {
    return new ChaosRun(plan, await ChaosSite.create(plan), tools);
  }

  /** Rejects with PART_FAILED, CHAOS_NOT_DRAINED and what the comparison could not read; or with the abort when that is enough before there was anything to judge. Everything is stopped then as well. */
  async run(): Promise<ChaosReport> {
    const { listener, enough } = this.#tools;
    const { dataDir, rate } = this.#plan;
    try {
      listener.onPhase('starting a hub with its NATS and Kubernetes API, and the edge nodes');
      await this.#site.start(enough);
      const { kubeconfig, natsUrl: nats, mqttUrls: mqtt } = this.#site;
      listener.onStarted({ dataDir, kubeconfig, nats, mqtt });
      const begun = performance.now();
      await this.#watch.start(NEVER);
      await this.#publishing.start(rate, NEVER);
      await this.#makeMoves(begun, enough);
      if (this.#publishing.published === 0) enough.throwIfAborted();
      return await this.#verdict(begun);
    } finally {
      await this.#publishing.stop();
      await this.#watch.stop(Deadline.after(seconds(1)));
      await this.#site.stop(Deadline.after(STOP_WITHIN));
    }
  }

  /** At once; for whoever cannot wait for `run` to end. */
  killAll(): void {
    this.#site.killAll();
  }

  async #makeMoves(begun: number, enough: AbortSignal): Promise<void> {
    const over = new AbortController();
    const showing = this.#showProgress(over.signal);
    for (const move of movesOf(this.#plan, this.#plan.seed)) {
      if (!(await until(begun + move.at, enough))) break;
      this.#make(move, (performance.now() - begun) / 1000, enough);
    }
    await until(begun + this.#plan.lasting, enough);
    over.abort();
    await showing;
    for (let edge = 0; edge < this.#plan.edges; edge += 1) this.#site.mend(edge);
  }

  #make(move: Move, after: number, enough: AbortSignal): void {
    if (move.kind === 'cut') {
      this.#partitions += 1;
      void this.#cut(move, enough);
      this.#tools.listener.onMove(textOf(move), after);
      return;
    }
    const isKilled = this.#site.kill(move);
    if (isKilled) this.#kills[move.victim] += 1;
    this.#tools.listener.onMove(isKilled ? textOf(move) : `${textOf(move)}: it is away already`, after);
  }

  async #cut({ edge, form, lasting }: Cut, enough: AbortSignal): Promise<void> {
    this.#site.cut(edge, form);
    await sleep(lasting, enough);
    this.#site.mend(edge);
  }

  async #showProgress(signal: AbortSignal): Promise<void> {
    while ((await sleep(PROGRESS_EVERY, signal)) === 'elapsed') {
      const { text } = await this.#waiting();
      if (!signal.aborted) this.#tell('faults', text);
    }
  }

  async #verdict(begun: number): Promise<ChaosReport> {
    const { listener, logger } = this.#tools;
    const facing = performance.now();
    const faultSeconds = (facing - begun) / 1000;
    const published = this.#publishing.published;
    await this.#drain();
    const drained = performance.now();
    listener.onPhase('comparing what was acknowledged with what the stream holds and Kubernetes shows');
    const known = this.#publishing.result();
    const tallies = await tallyStream(this.#site, known, { logger, signal: NEVER });
    const stale = await staleDevices(this.#site.kubeconfig, tallies, NEVER);
    const counts = sumOf(findingsOf(tallies, known));
    const unwatched = await this.#unwatched(tallies);
    const { backwards, setbacks, failure } = this.#watch;
    const { crashes, droppedReceipts } = this.#site;
    return {
      ...saidTo(known),
      ...counts,
      ...{ stale: stale.length, unwatched, backwards, crashes: crashes.length },
      ...{ published, rate: Math.round(published / faultSeconds), seed: this.#plan.seed },
      ...{ kills: this.#kills, partitions: this.#partitions, droppedAcks: droppedReceipts },
      seconds: tenths(drained - begun),
      drainSeconds: tenths(drained - facing),
      examples: [...counts.examples, ...stale, ...(failure === undefined ? [] : [failure]), ...setbacks, ...crashes],
    };
  }

  /** How many devices are in the stream and were not watched. */
  async #unwatched(tallies: Tallies): Promise<number> {
    const told = [...tallies].filter(([, { stored }]) => stored > 0).map(([device]) => device);
    const deadline = Deadline.after(WATCHED_WITHIN);
    for (;;) {
      const { watched, failure } = this.#watch;
      const left = told.filter((device) => !watched.has(device)).length;
      if (left === 0 || failure !== undefined || deadline.remaining() === 0) return left;
      await sleep(PROGRESS_EVERY, NEVER);
    }
  }

  /** Everything is up, every publication acknowledged, and every backlog empty, in this order. */
  async #drain(): Promise<void> {
    this.#publishing.fallSilent();
    this.#tools.listener.onPhase('no more faults; waiting until everything has arrived');
    const onLook = ({ text }: Waiting): void => this.#tell('drain', text);
    const waiting = await settle(() => this.#waiting(), { patience: DRAIN_PATIENCE, onLook }, NEVER);
    if (waiting !== undefined) throw cliErrors.CHAOS_NOT_DRAINED({ waiting, seed: this.#plan.seed });
  }

  async #waiting(): Promise<Waiting> {
    const { away } = this.#site;
    // Asked before the backlogs: what is acknowledged after that is in them.
    const { unacknowledged } = this.#publishing;
    const backlogs = await this.#site.backlogs();
    const silent = backlogs.filter((backlog) => backlog === undefined).length;
    const backlog = backlogs.reduce<number>((sum, each) => sum + (each ?? 0), 0);
    const texts = [
      ...(away.length > 0 ? [`${away.join(', ')} not up`] : []),
      `${unacknowledged} publications unacknowledged`,
      `${backlog} facts on edge nodes`,
    ];
    return { left: away.length + silent + unacknowledged + backlog, text: texts.join(', ') };
  }

  #tell(phase: ChaosProgress['phase'], waiting: string): void {
    const { published, acknowledged } = this.#publishing;
    this.#tools.listener.onProgress({ phase, published, acknowledged, waiting });
  }
}
