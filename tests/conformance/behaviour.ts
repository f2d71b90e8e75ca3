// What is asked of a broker: a clause of MQTT 3.1.1, and what is seen when it is kept.
import type { BrokerUnderTest } from './brokers.ts';
import { connect, type ConnectFields, type Qos } from '../support/mqtt-bytes.ts';
import { Labels, Wire } from './wire.ts';

export interface Difference {
  /** What this broker does instead: the test fails when it does anything else, also what the clause asks for. */
  readonly seen: string;
  readonly why: string;
}

export interface Behaviour {
  /** Of the normative statements of MQTT 3.1.1 (OASIS, 29 October 2014), or the section where there is none. */
  readonly clause: string;
  /** A sentence, unique. */
  readonly title: string;
  readonly expected: string;
  readonly ours?: Difference;
  readonly mosquitto?: Difference;
  readonly play: (stage: Stage) => Promise<string>;
}

export const AT_RELEASE =
  '4.3.3 allows both: Mosquitto hands a QoS 2 publication on when it is released, we when it comes.';

export const LENIENT = 'Mosquitto 2.0.11 does not look, and passes over the fault.';

/** Connections to one broker, closed afterwards. */
export class Stage implements Disposable {
  readonly broker: BrokerUnderTest;
  readonly #labels = new Labels();
  readonly #wires: Wire[] = [];

  constructor(broker: BrokerUnderTest) {
    this.broker = broker;
  }

  /** A connection on which nothing was said. */
  async open(client = 'client'): Promise<Wire> {
    const wire = await Wire.open(this.broker.port, client, this.#labels);
    this.#wires.push(wire);
    return wire;
  }

  /** A client, whose CONNACK was taken. */
  async connect(id: string, fields: ConnectFields = {}): Promise<Wire> {
    const wire = await this.open(id);
    wire.send(connect({ id, ...fields }));
    await wire.take('CONNACK');
    return wire;
  }

  async subscriber(filter: string, qos: Qos = 0, fields: ConnectFields = {}): Promise<Wire> {
    const wire = await this.connect('subscriber', fields);
    await wire.subscribe(filter, qos);
    return wire;
  }

  /** Sends the bytes on a fresh connection and tells what comes until it ends. */
  async ending(...packets: readonly Uint8Array[]): Promise<string> {
    const wire = await this.open();
    wire.send(...packets);
    return wire.ending();
  }

  [Symbol.dispose](): void {
    for (const wire of this.#wires) wire.socket.destroy();
  }
}
