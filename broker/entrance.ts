// Who is let in, asked when CONNECT has come; whoever is not is told why, as far as MQTT 3.1.1 has a code for it.
import type { Client, ConnectPacket } from 'aedes';
import { CLIENT_LIMITS, limitReached } from './client-limits.ts';
import { faultOfConnect, lacksClientId } from './connect-rules.ts';
import type { Connections } from './connections.ts';
import { brokerErrors } from './errors.ts';
import type { BrokerLimits } from './limits.ts';
import type { SessionDirectory } from './sessions/session-directory.ts';
import type { Will, Wills } from './sessions/wills.ts';

type Answer = (error: Error | null, go: boolean) => void;

export interface EntranceTools {
  readonly connections: Connections;
  /** The client that is connected under this id. */
  readonly connected: (clientId: string) => Client | undefined;
  readonly directory: Pick<SessionDirectory, 'admits' | 'giveUp'>;
  readonly wills: Pick<Wills, 'admits' | 'giveUp'>;
}

export class Entrance {
  readonly #limits: BrokerLimits;
  readonly #tools: EntranceTools;

  constructor(limits: BrokerLimits, tools: EntranceTools) {
    this.#limits = limits;
    this.#tools = tools;
  }

  /** Calls `answer` once, where there is no way in after the refusal was written. */
  ask(client: Client, packet: ConnectPacket, answer: Answer): void {
    if (lacksClientId(packet)) {
      refuse(client, 2, brokerErrors.BROKER_CLIENT_ID_MISSING({}), answer);
      return;
    }
    const fault = faultOfConnect(packet);
    if (fault !== undefined) {
      answer(brokerErrors.BROKER_PACKET_MALFORMED({ fault }), false);
      return;
    }
    const name = this.#limitAgainst(client, packet);
    if (name === undefined) answer(null, true);
    else refuse(client, CLIENT_LIMITS[name].connack, limitReached(name, this.#limits, packet.clientId), answer);
  }

  #limitAgainst(client: Client, packet: ConnectPacket): Refusal {
    const { connections, connected } = this.#tools;
    const own = limitAgainst(packet, this.#limits);
    if (own !== undefined) return own;
    if (packet.clean === false && !this.#holdSession(client, packet)) return 'sessions';
    if (packet.will !== undefined && !this.#holdWill(client, packet.clientId, packet.will as Will)) return 'will-bytes';
    return connections.admit(client.conn, connected(packet.clientId)?.conn);
  }

  /** Others ask before this client is in. Its connection may also end before that. */
  #holdSession(client: Client, { clientId }: ConnectPacket): boolean {
    const { directory } = this.#tools;
    client.conn.once('close', () => directory.giveUp(clientId, client));
    return directory.admits(clientId, client);
  }

  /** Its connection may end before it is stored. */
  #holdWill(client: Client, clientId: string, will: Will): boolean {
    const { wills, connected } = this.#tools;
    client.conn.once('close', () => wills.giveUp(will));
    return wills.admits(clientId, will, connected(clientId));
  }
}

type Refusal = 'client-id-bytes' | 'keepalive' | 'sessions' | 'will-bytes' | ReturnType<Connections['admit']>;

/** What stands against a client whatever the others do. */
function limitAgainst(
  { clientId, keepalive = 0 }: Pick<ConnectPacket, 'clientId' | 'keepalive'>,
  limits: BrokerLimits,
): 'client-id-bytes' | 'keepalive' | undefined {
  if (Buffer.byteLength(clientId) > limits.clientIdBytes) return 'client-id-bytes';
  if (limits.keepalive === undefined) return undefined;
  return keepalive === 0 || keepalive * 1000 > limits.keepalive ? 'keepalive' : undefined;
}

function refuse(client: Client, code: 2 | 3, error: Error, answer: Answer): void {
  client.conn.write(Buffer.of(0x20, 0x02, 0x00, code), () => {
    answer(error, false);
  });
}
