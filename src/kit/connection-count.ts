import { isLoopback } from './loopback.ts';

/** Connections that are open: so many in all, and fewer of one address, so that one peer cannot keep the others out. */
export class ConnectionCount {
  readonly #most: number;
  readonly #mostOfOne: number;
  readonly #open = new Map<string, number>();
  #all = 0;

  constructor(limits: { readonly connections: number; readonly connectionsOfOne: number }) {
    this.#most = limits.connections;
    this.#mostOfOne = limits.connectionsOfOne;
  }

  /** What to call when this connection ends, any number of times; `undefined`: there is no room for it. */
  enter(address: string): (() => void) | undefined {
    const open = this.#open.get(address) ?? 0;
    if (this.#all >= this.#most || (open >= this.#mostOfOne && !isLoopback(address))) return undefined;
    this.#all += 1;
    this.#open.set(address, open + 1);
    let isIn = true;
    return () => {
      if (isIn) this.#leave(address);
      isIn = false;
    };
  }

  #leave(address: string): void {
    this.#all -= 1;
    const left = (this.#open.get(address) ?? 1) - 1;
    if (left === 0) this.#open.delete(address);
    else this.#open.set(address, left);
  }
}
