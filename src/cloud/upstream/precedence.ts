// State goes before history. Both come at once when a node is back after an outage, a little of the one and much of the other,
// and what people look at is the one. Nodes do not wait for each other.
import type { Duration } from '../../kit/units.ts';

interface Gate {
  statesInHand: number;
  readonly opened: Promise<void>;
  readonly open: () => void;
}

export class Precedence {
  readonly #patience: Duration;
  readonly #gates = new Map<string, Gate>();

  /** @param patience how long history waits at most: a state that Kubernetes does not take must not hold it up for ever */
  constructor(patience: Duration) {
    this.#patience = patience;
  }

  async state<T>(node: string, work: () => Promise<T>): Promise<T> {
    const gate = this.#gates.get(node) ?? closedGate(this.#patience);
    this.#gates.set(node, gate);
    gate.statesInHand += 1;
    try {
      return await work();
    } finally {
      gate.statesInHand -= 1;
      if (gate.statesInHand === 0) {
        this.#gates.delete(node);
        gate.open();
      }
    }
  }

  async history<T>(node: string, work: () => Promise<T>): Promise<T> {
    await this.#gates.get(node)?.opened;
    return await work();
  }
}

function closedGate(patience: Duration): Gate {
  let settle: () => void = () => undefined;
  const opened = new Promise<void>((resolve) => {
    settle = resolve;
  });
  const timer = setTimeout(settle, patience);
  const open = (): void => {
    clearTimeout(timer);
    settle();
  };
  return { statesInHand: 0, opened, open };
}
