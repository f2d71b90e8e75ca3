// Who is let in, asked when CONNECT has come; whoever is not is told why, as far as MQTT 3.1.1 has a code for it.
import type { Client, ConnectPacket } from 'aedes';
import type { AccessControl, Identity } from './access/access-control.ts';
import type { Passports } from './access/passports.ts';
import { standingOf } from './access/standing.ts';
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
  readonly access: AccessControl;
  readonly passports: Passports;
  readonly directory: Pick<SessionDirectory, 'admits' | 'giveUp' | 'isOthers'>;
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
    const { access, connections } = this.#tools;
    const standing = standingOf(packet, connections.doorOf(client.conn), access.hasUsers);
    if (standing.kind === 'anonymous') this.#enter(client, packet, undefined, answer);
    else if (standing.kind === 'certified')
      this.#enter(client, packet, { user: standing.user, isCertified: true }, answer);
    else if (standing.kind === 'refused') refuse(client, NOT_AUTHORIZED, notLetIn(standing.problem, packet), answer);
    else void this.#check(client, packet, standing, answer);
  }

  async #check(
    client: Client,
    packet: ConnectPacket,
    { user, password }: { readonly user: string; readonly password: Uint8Array },
    answer: Answer,
  ): Promise<void> {
    const { access, connections } = this.#tools;
    const { conn } = client;
    const isGivenUp = (): boolean => conn.destroyed;
    const identity = await access.identify({ user, password, address: connections.addressOf(conn), isGivenUp });
    if (conn.destroyed) answer(null, false);
    else if (identity !== undefined) this.#enter(client, packet, identity, answer);
    else refuse(client, BAD_CREDENTIALS, notLetIn('its user name and password do not belong together', packet), answer);
  }

  #enter(client: Client, packet: ConnectPacket, identity: Identity | undefined, answer: Answer): void {
    const { clientId, will } = packet;
    const { passports } = this.#tools;
    if (this.#isTaken(clientId, identity?.user)) {
      refuse(client, IDENTIFIER_REJECTED, brokerErrors.BROKER_CLIENT_ID_TAKEN({ client: clientId }), answer);
      return;
    }
    if (identity !== undefined) passports.issue(client, clientId, identity);
    if (will !== undefined && !passports.mayPublish(client, will.topic, 'will')) {
      const fault = brokerErrors.BROKER_TOPIC_FORBIDDEN({ client: clientId, topic: will.topic });
      refuse(client, NOT_AUTHORIZED, fault, answer);
      return;
    }
    if (will !== undefined && identity !== undefined)
      (will as Will).author = { user: identity.user, isCertified: identity.isCertified };
    const name = this.#limitAgainst(client, packet);
    if (name === undefined) answer(null, true);
    else refuse(client, CLIENT_LIMITS[name].connack, limitReached(name, this.#limits, clientId), answer);
  }

  /** What is under way between another user and the broker is nobody else's; what an anonymous client left is anybody's. */
  #isTaken(clientId: string, user: string | undefined): boolean {
    const { connected, passports, directory } = this.#tools;
    const present = connected(clientId);
    const holder = present === undefined ? undefined : passports.identityOf(present)?.user;
    return (holder !== undefined && holder !== user) || directory.isOthers(clientId, user);
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

/** Return codes of CONNACK (MQTT 3.1.1, 3.2.2.3). */
const IDENTIFIER_REJECTED = 2;
const BAD_CREDENTIALS = 4;
const NOT_AUTHORIZED = 5;

const notLetIn = (problem: string, { clientId }: ConnectPacket): Error =>
  brokerErrors.BROKER_CREDENTIALS_REFUSED({ problem, client: clientId });

function refuse(client: Client, code: 2 | 3 | 4 | 5, error: Error, answer: Answer): void {
  client.conn.write(Buffer.of(0x20, 0x02, 0x00, code), () => {
    answer(error, false);
  });
}
