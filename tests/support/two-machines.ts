// Two machines for one test: network namespaces with a cable between them. Needs root.
import { execFileSync } from 'node:child_process';

export const HUB_ADDRESS = '10.77.0.1';
const EDGE_ADDRESS = '10.77.0.2';

const ip = (...args: string[]): unknown => execFileSync('ip', args, { stdio: ['ignore', 'ignore', 'pipe'] });

export class TwoMachines implements Disposable {
  readonly #hub = `skerry-h-${process.pid}`;
  readonly #edge = `skerry-e-${process.pid}`;

  constructor() {
    const [here, there] = [`skh${process.pid}`, `ske${process.pid}`];
    for (const name of [this.#hub, this.#edge]) ip('netns', 'add', name);
    ip('link', 'add', here, 'netns', this.#hub, 'type', 'veth', 'peer', 'name', there, 'netns', this.#edge);
    const ends = [
      [this.#hub, here, HUB_ADDRESS],
      [this.#edge, there, EDGE_ADDRESS],
    ] as const;
    for (const [space, link, address] of ends) {
      ip('-n', space, 'address', 'add', `${address}/24`, 'dev', link);
      for (const device of ['lo', link]) ip('-n', space, 'link', 'set', device, 'up');
    }
  }

  /** What a command is started by to run there. */
  get onHub(): readonly string[] {
    return ['ip', 'netns', 'exec', this.#hub];
  }

  get onEdge(): readonly string[] {
    return ['ip', 'netns', 'exec', this.#edge];
  }

  [Symbol.dispose](): void {
    for (const name of [this.#hub, this.#edge]) ip('netns', 'delete', name);
  }
}
