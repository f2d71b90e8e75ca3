// How a publication that is being handed out reaches one client: in place of Aedes' own two functions, which copy the packet twice,
// wait a turn of the loop and encode it anew for each subscriber (ADR 0028). A client whose subscriptions overlap gets it once:
// Aedes goes by a counter that publications get when they come, and takes a lower one for a repetition; but a retained publication
// takes a turn longer than one that came after it, and would be lost to everybody who listens to both.
import type { AedesPublishPacket, Client } from 'aedes';
import { PublishHeads } from './publish-bytes.ts';

type Packet = Omit<AedesPublishPacket, 'brokerId' | 'messageId'> & { readonly brokerId: string | null };
type Deliver = (packet: Packet, done: () => void) => void;

/** What Aedes' client does not declare. */
interface Receiver {
  readonly id: string;
  readonly clean: boolean;
  readonly connecting: boolean;
  readonly connected: boolean;
  readonly conn: Client['conn'];
  readonly subscriptions: Readonly<Record<string, { readonly qos: 0 | 1 | 2 } | undefined>>;
  readonly broker: {
    authorizeForward(client: Receiver, packet: Packet): Packet | null | undefined;
    readonly persistence: { outgoingUpdate(client: Receiver, packet: object): Promise<void> };
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

  /** What Aedes hands to this client goes this way from here on. */
  serve(client: Client): void {
    const receiver = client as unknown as Receiver;
    let had = 0;
    const isWanted = (packet: Packet): boolean => {
      // One that a new subscription is told of is no publication.
      if (packet.brokerId !== null) {
        if (had === this.#publication) return false;
        had = this.#publication;
      }
      return Boolean(receiver.broker.authorizeForward(receiver, packet));
    };
    receiver.deliver0 = (packet, done) => {
      if (isWanted(packet)) this.#write(receiver, packet, { qos: 0, messageId: NO_ID }, done);
      else done();
    };
    receiver.deliverQoS = (packet, done) => {
      if (packet.qos === 0) receiver.deliver0(packet, done);
      else if (isWanted(packet)) this.#deliverNamed(receiver, packet, done);
      else done();
    };
  }

  #deliverNamed(receiver: Receiver, packet: Packet, done: () => void): void {
    const sending = { qos: grantedQos(receiver, packet), messageId: nextId(receiver) };
    if (receiver.clean || packet.retain) {
      this.#write(receiver, packet, sending, done);
      return;
    }
    const { cmd, topic, brokerId, brokerCounter } = packet;
    receiver.broker.persistence.outgoingUpdate(receiver, { cmd, topic, brokerId, brokerCounter, ...sending }).then(
      () => this.#write(receiver, packet, sending, done),
      (error: unknown) => {
        receiver.emit('error', error);
        done();
      },
    );
  }

  /** `done` when there is room for more. */
  #write(
    receiver: Receiver,
    { topic, payload, retain }: Packet,
    { qos, messageId }: { readonly qos: 0 | 1 | 2; readonly messageId: number },
    done: () => void,
  ): void {
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

/** What the queue of a session has said already; else as Aedes has it: what the subscription grants, where the filter is the topic itself. */
function grantedQos({ clean, subscriptions }: Receiver, { topic, qos, brokerId }: Packet): 0 | 1 | 2 {
  if (!clean && brokerId !== null) return qos;
  const granted = subscriptions[topic]?.qos ?? qos;
  return granted < qos ? granted : qos;
}

/** Counted where Aedes counts, which goes on from there. */
function nextId(receiver: Receiver): number {
  const id = receiver._nextId;
  receiver._nextId = id >= LARGEST_ID ? 1 : id + 1;
  return id;
}
