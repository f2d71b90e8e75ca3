// Two machines on one: network namespaces for cloud and edge with a cable between them, and one from each to here. The cable
// between them can lose packets, both ways alike. Needs root, iproute2 and iptables.
import { execFileSync } from 'node:child_process';

const run = (command: string, ...args: readonly string[]): void => {
  execFileSync(command, args, { stdio: ['ignore', 'ignore', 'inherit'] });
};

export class TwoNamespaces implements Disposable {
  readonly #name = `sk${process.pid}`;
  readonly cloud = `${this.#name}c`;
  readonly edge = `${this.#name}e`;
  /** Of the cloud and of the edge as seen from here, and of the cloud as seen from the edge. */
  readonly addresses = { cloud: '10.79.0.2', edge: '10.78.0.2', cloudFromEdge: '10.77.0.1' };

  constructor() {
    for (const namespace of [this.cloud, this.edge]) {
      run('ip', 'netns', 'add', namespace);
      run('ip', '-n', namespace, 'link', 'set', 'lo', 'up');
    }
    run('ip', 'link', 'add', 'up0', 'netns', this.cloud, 'type', 'veth', 'peer', 'name', 'up0', 'netns', this.edge);
    this.#address(this.cloud, 'up0', '10.77.0.1/24');
    this.#address(this.edge, 'up0', '10.77.0.2/24');
    this.#cableHere(this.cloud, 'c', '10.79.0');
    this.#cableHere(this.edge, 'e', '10.78.0');
  }

  /** A command that runs over there. */
  static inside(namespace: string): readonly string[] {
    return ['ip', 'netns', 'exec', namespace];
  }

  /** The share of packets that each side loses from the other; 1 cuts the cable. */
  lose(share: number): void {
    for (const namespace of [this.cloud, this.edge]) {
      const iptables = ['netns', 'exec', namespace, 'iptables'];
      run('ip', ...iptables, '-F', 'INPUT');
      if (share === 0) continue;
      const some = share === 1 ? [] : ['-m', 'statistic', '--mode', 'random', '--probability', String(share)];
      run('ip', ...iptables, '-A', 'INPUT', '-i', 'up0', ...some, '-j', 'DROP');
    }
  }

  [Symbol.dispose](): void {
    for (const namespace of [this.cloud, this.edge]) run('ip', 'netns', 'del', namespace);
  }

  #cableHere(namespace: string, end: string, network: string): void {
    const here = `${this.#name}${end}h`;
    run('ip', 'link', 'add', here, 'type', 'veth', 'peer', 'name', 'here0', 'netns', namespace);
    run('ip', 'address', 'add', `${network}.1/24`, 'dev', here);
    run('ip', 'link', 'set', here, 'up');
    this.#address(namespace, 'here0', `${network}.2/24`);
  }

  #address(namespace: string, device: string, address: string): void {
    run('ip', '-n', namespace, 'address', 'add', address, 'dev', device);
    run('ip', '-n', namespace, 'link', 'set', device, 'up');
  }
}
