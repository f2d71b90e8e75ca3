// A real broker on a free port, with a gate that the test holds in its hand.
import {
  AccessControl,
  Broker,
  BrokerListeners,
  type Admission,
  type BrokerConfig,
  type Certificates,
  type Publication,
  type PublishGate,
  type SessionStorage,
} from '../../../broker/index.ts';
import { Deadline } from '../../../src/kit/deadline.ts';
import { silentLogger, type Logger } from '../../../src/kit/logger.ts';
import { seconds } from '../../../src/kit/units.ts';

export const TWIN_UPDATE = '$hw/events/device/default/counter/twin/update';
export const RESULT = `${TWIN_UPDATE}/result`;

/** Concerned with twin updates; remembers what it was asked and answers with `answer`. */
export class TestGate implements PublishGate {
  readonly asked: Publication[] = [];
  answer: (publication: Publication) => Promise<Admission> = () => Promise.resolve({ kind: 'admit' });

  concerns(topic: string): boolean {
    return topic.endsWith('/twin/update');
  }

  admit(publication: Publication): Promise<Admission> {
    const { clientId, topic, qos, packetId, duplicate } = publication;
    this.asked.push({ clientId, topic, payload: Uint8Array.from(publication.payload), qos, packetId, duplicate });
    return this.answer(publication);
  }
}

export interface RunningBroker extends AsyncDisposable {
  readonly broker: Broker;
  readonly listeners: BrokerListeners;
  readonly gate: TestGate;
  readonly port: number;
  readonly wsUrl: string;
  stop(): Promise<void>;
}

export async function startBroker(
  config: BrokerConfig = {},
  port = 0,
  storage?: SessionStorage,
  answer?: TestGate['answer'],
): Promise<RunningBroker> {
  return startLogged(silentLogger, config, { port, storage, answer });
}

interface Particulars {
  readonly port?: number | undefined;
  readonly storage?: SessionStorage | undefined;
  readonly answer?: TestGate['answer'] | undefined;
  readonly access?: AccessControl | undefined;
  /** Where it listens; default 127.0.0.1. */
  readonly host?: string | undefined;
  /** With them, TLS is served as well. */
  readonly certificates?: Certificates | undefined;
}

export async function startLogged(
  logger: Logger,
  config: BrokerConfig,
  { port = 0, storage, answer, access = new AccessControl(), host = '127.0.0.1', certificates }: Particulars = {},
): Promise<RunningBroker> {
  const gate = new TestGate();
  if (answer !== undefined) gate.answer = answer;
  const broker = new Broker(config, { gate, logger, access, ...(storage === undefined ? {} : { storage }) });
  const address = { host, port };
  const any = { host, port: 0 };
  const sockets = { tcp: address, ws: any, ...(certificates && { tls: any, wss: any }) };
  const listeners = new BrokerListeners(sockets, { broker, access, logger, ...(certificates && { certificates }) });
  const { signal } = new AbortController();
  await broker.start(signal);
  await listeners.start(signal).catch(async (error: unknown) => {
    await broker.stop(Deadline.after(seconds(5)));
    throw error;
  });
  const stop = async (): Promise<void> => {
    await listeners.stop(Deadline.after(seconds(5)));
    await broker.stop(Deadline.after(seconds(5)));
  };
  const { tcp, ws } = listeners.addresses;
  return { broker, listeners, gate, port: tcp.port, wsUrl: ws?.url ?? '', stop, [Symbol.asyncDispose]: stop };
}

export interface Deferred<T> {
  readonly promise: Promise<T>;
  readonly resolve: (value: T) => void;
}

/** `Promise.withResolvers`, which Node 20 has not. */
export function deferred<T>(): Deferred<T> {
  let resolve!: (value: T) => void;
  const promise = new Promise<T>((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}
