// Who speaks under a node's name. Most often one process; but a second instance, or a copied disk, beats as its original does, and
// must neither hide what the other says nor be hidden by it. Pure.
import type { Heartbeat, NodeProblem } from '../../wire/node-reports.ts';

interface Instance {
  readonly heartbeat: Heartbeat;
  readonly heardAt: number;
}

/** More at once under one name would be a mistake of another kind. */
const MOST = 4;

export class NodeInstances {
  readonly #silentAfter: number;
  /** By incarnation, the one heard last in the end. */
  readonly #heard = new Map<string, Instance>();

  constructor(silentAfter: number) {
    this.#silentAfter = silentAfter;
  }

  hear(heartbeat: Heartbeat, at: number): void {
    this.#heard.delete(heartbeat.incarnation);
    this.#heard.set(heartbeat.incarnation, { heartbeat, heardAt: at });
    const [oldest] = this.#heard.keys();
    if (this.#heard.size > MOST && oldest !== undefined) this.#heard.delete(oldest);
  }

  /** The one to be shown: it does its work, or is the last that spoke. */
  speaker(now: number): Heartbeat | undefined {
    const all = [...this.#heard.values()].reverse();
    const atWork = all.find((one) => this.#isFresh(one, now) && one.heartbeat.problem === undefined);
    return (atWork ?? all[0])?.heartbeat;
  }

  /** What one of them does not do its work for. */
  problem(now: number): NodeProblem | undefined {
    const stuck = [...this.#heard.values()].findLast(
      (one) => this.#isFresh(one, now) && one.heartbeat.problem !== undefined,
    );
    return stuck?.heartbeat.problem;
  }

  #isFresh({ heardAt }: Instance, now: number): boolean {
    return now - heardAt < this.#silentAfter;
  }
}
