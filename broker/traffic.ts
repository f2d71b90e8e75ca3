// What goes through the broker, counted where it passes: an addition each, read when somebody asks.
export class Traffic {
  readonly #received: [number, number, number] = [0, 0, 0];
  #sent = 0;

  /** A client published at this QoS. */
  receive(qos: 0 | 1 | 2): void {
    this.#received[qos] += 1;
  }

  /** A message goes out to one client. */
  send(): void {
    this.#sent += 1;
  }

  /** By QoS. */
  get received(): { readonly 0: number; readonly 1: number; readonly 2: number } {
    return this.#received;
  }

  get sent(): number {
    return this.#sent;
  }
}
