// How a publication that is being handed out reaches one client: in place of Aedes' own two functions, which copy the packet twice,
// wait a turn of the loop and encode it anew for each subscriber (ADR 0028). A client whose subscriptions overlap gets it once:
// Aedes goes by a counter that publications get when they come, and takes a lower one for a repetition; but a retained publication
// takes a turn longer than one that came after it, and would be lost to everybody who listens to both.
import type { AedesPublishPacket, Client } from 'aedes';
import { matchesFilter } from './filter-tree.ts';
import { PublishHeads } from './publish-bytes.ts';

type Packet = Omit<AedesPublishPacket, 'brokerId' | 'messageId'> & { readonly brokerId: string | null };
type Qos = 0 | 1 | 2;
type Deliver = (packet: Packet, done: () => void) => void;

interface Sending {
  readonly qos: Qos;
  readonly messageId: number;
}

/** What Aedes' client does not declare. */
interface Receiver {
  readonly id: string;
  readonly clean: boolean;
  readonly connecting: boolean;
  readonly connected: boolean;
  readonly conn: Client['conn'];
  readonly subscriptions: Readonly<Record<string, { readonly qos: Qos } | undefined>>;
  readonly broker: {
    authorizeForward(client: Receiver, packet: Packet): Packet | null | undefined;
    readonly id: string;
    readonly persistence: {
      isRetained(packet: Packet): boolean;
      outgoingUpdate(client: Receiver, packet: object): Promise<void>;
      outgoingClearMessageId(client: Receiver, sent: { messageId: number }): Promise<unknown>;
      outgoingEnqueue(subscription: { clientId: string; topic: string; qos: Qos }, packet: object): Promise<void>;
    };
  };
  _nextId: number;
  deliver0: Deliver;
  deliverQoS: Deliver;
  emit(event: 'error', error: unknown): boolean;
  waitForDrain(done: () => void): void;
}

const NO_ID = 0;
const LARGEST_ID = 65_535;

export class Deliveries {
  readonly #heads = new PublishHeads();
  #publication = 0;

  /** The next publication is being handed out; all its deliveries begin before the next call. */
  next(): void {
    this.#publication += 1;
  }

  /** The one that is being handed out. */
  get publication(): number {
    return this.#publication;
  }

  /** What Aedes hands to this client goes this way from here on. */
  serve(client: Client): void {
    const receiver = client as unknown as Receiver;
    let had = 0;
    const isWanted = (packet: Packet): boolean => {
      // One that a new subscription is told of is no publication, and late where it has a successor, which goes out as one.
      if (packet.brokerId === null) {
        if (isOutdated(receiver, packet)) return false;
      } else {
        if (had === this.#publication) return false;
        had = this.#publication;
      }
      return Boolean(receiver.broker.authorizeForward(receiver, packet));
    };
    const deliver = (packet: Packet, qos: Qos, done: () => void): void => {
      if (qos > 0) this.#deliverNamed(receiver, packet, qos, done);
      else this.#write(receiver, packet, { qos, messageId: NO_ID }, done);
    };
    // For subscriptions at QoS 0, of which another may grant more.
    receiver.deliver0 = (packet, done) => {
      if (!isWanted(packet)) done();
      else deliver(packet, packet.qos === 0 || !receiver.clean ? 0 : grantedQos(receiver, packet), done);
    };
    receiver.deliverQoS = (packet, done) => {
      if (packet.qos === 0) receiver.deliver0(packet, done);
      else if (!isWanted(packet)) done();
      else deliver(packet, isGranted(receiver, packet) ? packet.qos : grantedQos(receiver, packet), done);
    };
  }

  #deliverNamed(receiver: Receiver, packet: Packet, qos: Qos, done: () => void): void {
    const messageId = nextId(receiver);
    const write = (): void => this.#write(receiver, packet, { qos, messageId }, done);
    if (receiver.clean) write();
    // MQTT-4.4.0-1: until it is acknowledged. Where there is no room to keep it, it is sent all the same.
    else if (packet.brokerId === null) {
      const writeIfCurrent = (): void => {
        if (!isOutdated(receiver, packet)) write();
        else dropRetained(receiver, messageId).then(done, done);
      };
      keepRetained(receiver, packet, { qos, messageId }).then(writeIfCurrent, writeIfCurrent);
    } else
      named(receiver, packet, { qos, messageId }).then(write, (error: unknown) => {
        receiver.emit('error', error);
        done();
      });
  }

  /** `done` when there is room for more. */
  #write(receiver: Receiver, { topic, payload, retain }: Packet, { qos, messageId }: Sending, done: () => void): void {
    const { conn } = receiver;
    if (!receiver.connected && !receiver.connecting) {
      done();
      return;
    }
    const payloadLength = typeof payload === 'string' ? Buffer.byteLength(payload) : payload.length;
    let hasRoom = conn.write(this.#heads.encode({ topic, payloadLength, qos, retain }, messageId));
    if (payloadLength > 0) hasRoom = conn.write(payload);
    if (hasRoom) done();
    else receiver.waitForDrain(done);
  }
}

/** Tells the queue that holds it under which packet id it is sent. */
function named(receiver: Receiver, { cmd, topic, brokerId, brokerCounter }: Packet, sending: Sending): Promise<void> {
  return receiver.broker.persistence.outgoingUpdate(receiver, { cmd, topic, brokerId, brokerCounter, ...sending });
}

/** Aedes gives what a new subscription is told of no name; the queue knows messages by theirs. */
async function keepRetained(receiver: Receiver, packet: Packet, sending: Sending): Promise<void> {
  const { id, persistence } = receiver.broker;
  const kept = { ...packet, brokerId: id };
  const { topic } = packet;
  await persistence.outgoingEnqueue({ clientId: receiver.id, topic, qos: sending.qos }, kept);
  await named(receiver, kept, sending);
}

/** The client has been sent a newer one, or is about to be, and must not see this one behind it. */
const isOutdated = ({ broker }: Receiver, packet: Packet): boolean => !broker.persistence.isRetained(packet);

/** What is in the queue of a client that is gone is its successor's. */
async function dropRetained(receiver: Receiver, messageId: number): Promise<void> {
  if (receiver.connected) await receiver.broker.persistence.outgoingClearMessageId(receiver, { messageId });
}

/** What the queue of a session says is granted; and so is QoS 1, by a subscription that is not at QoS 0. */
function isGranted({ clean }: Receiver, { qos, brokerId }: Packet): boolean {
  return brokerId !== null && (qos === 1 || !clean);
}

/** MQTT-3.3.5-1, MQTT-3.8.4-6: the smaller of the packet's QoS and the largest that subscriptions to its topic grant. */
function grantedQos({ subscriptions }: Receiver, { topic, qos }: Packet): Qos {
  let granted: Qos | undefined;
  for (const filter in subscriptions) {
    const own = subscriptions[filter]?.qos ?? 0;
    if ((granted === undefined || own > granted) && matchesFilter(filter, topic)) granted = own;
    if (granted !== undefined && granted >= qos) return qos;
  }
  return granted ?? qos;
}

/** Counted where Aedes counts, which goes on from there. */
function nextId(receiver: Receiver): number {
  const id = receiver._nextId;
  receiver._nextId = id >= LARGEST_ID ? 1 : id + 1;
  return id;
}
