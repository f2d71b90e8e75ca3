// Who is connected under which id: Aedes' own table, with its gaps closed. As Aedes has it, a connection that ends while another of
// the same id begins strikes the newer one off the table, and one that ends before it is entered stays in it for ever. Here an id is
// entered and left in turn, by the connection that holds it, and the watcher hears of just that.
import type { Aedes, Client } from 'aedes';
import { messageOf } from '../src/kit/errors.ts';
import type { Logger } from '../src/kit/logger.ts';
import type { ClientWatcher, Departure } from './client-watcher.ts';

/** What Aedes does not declare. */
interface Table {
  readonly clients: Readonly<Record<string, Client | undefined>>;
  registerClient(client: Client): void;
  unregisterClient(client: Client): void;
  _finishRegisterClient(client: Client): void;
}

export interface RosterTools {
  readonly watcher: ClientWatcher;
  readonly onLeft: (client: Client, how: Departure) => void;
  readonly logger: Logger;
}

export class Roster {
  readonly #table: Table;
  readonly #tools: RosterTools;
  /** By id: the connection that enters when the one before it has left. */
  readonly #next = new Map<string, Client>();
  readonly #leave: (client: Client) => void;

  /** Takes Aedes' table over. */
  constructor(aedes: Aedes, tools: RosterTools) {
    this.#table = aedes as unknown as Table;
    this.#tools = tools;
    this.#leave = this.#table.unregisterClient.bind(aedes);
    this.#table.registerClient = (client) => this.#register(client);
    this.#table.unregisterClient = (client) => this.#unregister(client);
  }

  /** Who is connected under this id. */
  get(id: string): Client | undefined {
    return this.#table.clients[id];
  }

  *[Symbol.iterator](): Generator<Client> {
    for (const client of Object.values(this.#table.clients)) if (client !== undefined) yield client;
  }

  #register(client: Client): void {
    if (client.closed) return;
    const before = this.#table.clients[client.id];
    if (before === undefined) {
      this.#enter(client);
      return;
    }
    this.#next.get(client.id)?.close();
    this.#next.set(client.id, client);
    before.close();
  }

  #unregister(client: Client): void {
    const { id } = client;
    if (this.#table.clients[id] !== client) return;
    const how = this.#departureOf(client);
    this.#leave(client);
    this.#tools.onLeft(client, how);
    this.#tell((watcher) => watcher.gone(client, how));
    const next = this.#next.get(id);
    this.#next.delete(id);
    if (next !== undefined && !next.closed) this.#enter(next);
  }

  #enter(client: Client): void {
    this.#tell((watcher) => watcher.connected(client));
    this.#table._finishRegisterClient(client);
  }

  #departureOf(client: Client): Departure {
    if ((client as unknown as { readonly _disconnected: boolean })._disconnected) return 'disconnected';
    return this.#next.has(client.id) ? 'replaced' : 'lost';
  }

  #tell(say: (watcher: ClientWatcher) => void): void {
    try {
      say(this.#tools.watcher);
    } catch (error) {
      this.#tools.logger.error({ reason: messageOf(error) }, 'who watches the clients failed');
    }
  }
}
