// Who is here: a port for those who want to know whether a client is connected. The broker tells; what it means for a device is
// decided elsewhere.

export interface WatchedClient {
  /** As in its CONNECT packet; one that the broker made for a client that gave none. */
  readonly id: string;
  /** Whether its session ends with its connection. */
  readonly clean: boolean;
}

/**
 * - `disconnected`: it sent DISCONNECT.
 * - `replaced`: the same id has connected again, which ends the earlier connection (MQTT-3.1.4-2).
 * - `lost`: all else. The connection broke, its keepalive time passed, it broke a rule or a limit, or the broker stopped.
 */
export type Departure = 'disconnected' | 'replaced' | 'lost';

/**
 * Told of each client whose CONNECT is accepted, and of its end: per id always `connected`, `gone`, `connected`, `gone` in turn, so
 * that the last word is true now. `connected` comes before the first of its publications reaches the gate; `gone` after its last
 * will, if any, was put to the gate, though perhaps before the answer. A connection that is refused is not told of.
 *
 * Whoever was connected when the process was killed is not told of: after a start nobody is connected until it says so. Before an
 * orderly `stop` resolves, everybody is told `lost`, unless its deadline passes first.
 *
 * Called in the middle of the broker's work: quick, and never waiting. What it throws is logged and goes no further.
 */
export interface ClientWatcher {
  connected(client: WatchedClient): void;
  gone(client: WatchedClient, how: Departure): void;
}

export const INDIFFERENT: ClientWatcher = Object.freeze({ connected: () => undefined, gone: () => undefined });
