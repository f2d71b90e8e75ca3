// Of one client, what came first is concluded first, however long each takes to be decided: acknowledgements leave in the order of
// what they acknowledge (MQTT-4.6.0-2, MQTT-4.6.0-3), and subscribers get a topic in the order in which it was published.

interface Turn {
  conclude: (() => void) | undefined;
}

export class Turns {
  readonly #open = new WeakMap<object, Turn[]>();

  /** Whether something of the client's came before and is not concluded. */
  isOpen(client: object): boolean {
    return this.#open.has(client);
  }

  /** Takes the next turn. What it returns is to be called once, with what is to be done when all turns before have been. */
  take(client: object): (conclude: () => void) => void {
    const turns = this.#open.get(client) ?? [];
    const turn: Turn = { conclude: undefined };
    turns.push(turn);
    this.#open.set(client, turns);
    return (conclude) => {
      turn.conclude = conclude;
      if (turns[0] === turn) this.#proceed(client, turns);
    };
  }

  #proceed(client: object, turns: Turn[]): void {
    let concluded = 0;
    while (turns[concluded]?.conclude !== undefined) {
      turns[concluded]?.conclude?.();
      concluded += 1;
    }
    turns.splice(0, concluded);
    if (turns.length === 0) this.#open.delete(client);
  }
}
