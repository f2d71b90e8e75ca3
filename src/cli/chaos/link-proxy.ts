// Stands between one edge node and nats-server, cuts the link when it is told to, and loses a share of JetStream's receipts.
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import type { CutForm } from './fault-schedule.ts';
import { ProxiedLink, type Handling } from './proxied-link.ts';

export interface LinkProxyConfig {
  readonly target: { readonly host: string; readonly port: number };
  /** Subjects that begin so carry receipts of the uplink's publishes. */
  readonly receipts: string;
  /** From 0 to 1. */
  readonly dropShare: number;
}

const HANDLING: Readonly<Record<CutForm, Handling>> = { closed: 'vanish', silent: 'vanish', late: 'wait' };

export class LinkProxy {
  readonly #config: LinkProxyConfig;
  readonly #random: () => number;
  readonly #server: Server;
  readonly #links = new Set<ProxiedLink>();
  /** Came while the link was silent: accepted, as by a network that says nothing, and never led on. */
  readonly #unanswered = new Set<Socket>();
  #cut: CutForm | undefined;
  #dropped = 0;

  constructor(config: LinkProxyConfig, tools: { readonly random: () => number }) {
    this.#config = config;
    this.#random = tools.random;
    this.#server = createServer((edge) => this.#accept(edge));
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Receipts that never reached the edge node. */
  get dropped(): number {
    return this.#dropped;
  }

  async start(): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(0, '127.0.0.1', resolve);
    });
  }

  stop(): void {
    this.#server.close();
    this.#endAll();
  }

  cut(form: CutForm): void {
    this.#cut = form;
    for (const link of this.#links) link.handling = HANDLING[form];
    if (form === 'closed') this.#endAll();
  }

  /** Bytes that vanished leave a hole in their connections: those end. What only waited goes on. */
  mend(): void {
    if (this.#cut === undefined) return;
    if (this.#cut === 'late') for (const link of this.#links) link.handling = 'pass';
    else this.#endAll();
    for (const socket of this.#unanswered) socket.destroy();
    this.#cut = undefined;
  }

  #endAll(): void {
    for (const link of this.#links) link.end();
    for (const socket of this.#unanswered) socket.destroy();
  }

  #accept(edge: Socket): void {
    edge.on('error', () => edge.destroy());
    if (this.#cut === 'closed') edge.resetAndDestroy();
    else if (this.#cut === undefined) this.#lead(edge);
    else {
      this.#unanswered.add(edge);
      edge.resume();
      edge.once('close', () => this.#unanswered.delete(edge));
    }
  }

  #lead(edge: Socket): void {
    const server = connect(this.#config.target);
    const isDropped = this.#config.dropShare > 0 ? (subject: string): boolean => this.#drops(subject) : undefined;
    const link = new ProxiedLink({ edge, server }, isDropped);
    this.#links.add(link);
    void link.closed.then(() => this.#links.delete(link));
  }

  #drops(subject: string): boolean {
    const isDropped = subject.startsWith(this.#config.receipts) && this.#random() < this.#config.dropShare;
    if (isDropped) this.#dropped += 1;
    return isDropped;
  }
}
