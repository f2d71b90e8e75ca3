import type { AedesPublishPacket, Client } from 'aedes';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Audience } from '../../../broker/audience.ts';
import { Deliveries } from '../../../broker/deliveries.ts';
import { DEFAULT_LIMITS } from '../../../broker/index.ts';
import { Resumption } from '../../../broker/resumption.ts';
import { MessageShelf, type KeptMessage } from '../../../broker/sessions/message-shelf.ts';
import { OutgoingQueues } from '../../../broker/sessions/outgoing-queues.ts';
import { FORGETFUL } from '../../../broker/sessions/session-storage.ts';
import { WriteBehind } from '../../../broker/sessions/write-behind.ts';
import { silentLogger } from '../../../src/kit/logger.ts';

class Connection {
  readonly id = 'keeper';
  readonly clean = false;
  connected = false;
  connackSent = true;
  _nextId = 1;
  readonly sent: unknown[] = [];

  deliver0(_packet: AedesPublishPacket, done: () => void): void {
    done();
  }

  deliverQoS(packet: AedesPublishPacket, done: () => void): void {
    if (this.#resumption.lets(this as unknown as Client, packet)) this.sent.push(packet.brokerCounter);
    done();
  }

  readonly #resumption: Resumption;

  constructor(resumption: Resumption) {
    this.#resumption = resumption;
  }

  get client(): Client {
    return this as unknown as Client;
  }
}

function prepare() {
  const writes = new WriteBehind(FORGETFUL, silentLogger);
  const shelf = new MessageShelf(writes);
  const queues = new OutgoingQueues(DEFAULT_LIMITS, { shelf, writes, logger: silentLogger });
  const resumption = new Resumption({ queues, deliveries: new Deliveries(), audience: new Audience() });
  const live = (brokerCounter: number): AedesPublishPacket =>
    ({ cmd: 'publish', topic: 'news', payload: 'x', qos: 1, brokerId: 'b', brokerCounter }) as AedesPublishPacket;
  const message = (brokerCounter: number): KeptMessage => shelf.create(live(brokerCounter));
  const enqueue = (brokerCounter: number): void => queues.enqueue('keeper', message(brokerCounter), { qos: 1 });
  return { queues, resumption, live, message, enqueue, connect: () => new Connection(resumption) };
}

void test('what the queue holds is not sent before its turn, and what no queue keeps is', () => {
  const { live, enqueue, connect } = prepare();
  const connection = connect();
  enqueue(1);

  connection.deliverQoS(live(1), () => undefined);
  connection.deliverQoS({ ...live(2), qos: 0 }, () => undefined);
  connection.deliverQoS({ ...live(3), brokerId: null } as unknown as AedesPublishPacket, () => undefined);

  assert.deepEqual(connection.sent, [2, 3]);
});

void test('what the queue does not hold any more is not sent, neither live nor in its turn', () => {
  const { queues, live, enqueue, connect } = prepare();
  const connection = connect();
  connection.connected = true;
  enqueue(1);
  queues.update('keeper', { ...live(1), messageId: 7 });
  queues.clear('keeper', 7);

  connection.deliverQoS(live(1), () => undefined);
  connection.deliverQoS({ ...live(1), messageId: 7 }, () => undefined);

  assert.deepEqual(connection.sent, []);
});

void test('nothing is sent before the CONNACK', () => {
  const { live, connect } = prepare();
  const connection = connect();
  connection.connackSent = false;

  connection.deliverQoS(live(1), () => undefined);

  assert.deepEqual(connection.sent, []);
});

void test('what came into the queue after its end was sent goes out once, whoever brings it first', () => {
  const { resumption, live, enqueue, connect } = prepare();
  const connection = connect();
  enqueue(1);
  enqueue(2);
  connection.connected = true;

  connection.deliverQoS(live(1), () => undefined);
  resumption.finish(connection.client);
  connection.deliverQoS(live(2), () => undefined);

  assert.deepEqual(connection.sent, [1, 2]);
});

void test('the next connection is sent what the one before it was sent', () => {
  const { live, enqueue, connect } = prepare();
  enqueue(1);
  const connections = [connect(), connect()];

  for (const connection of connections) {
    connection.connected = true;
    connection.deliverQoS(live(1), () => undefined);
  }

  assert.deepEqual(
    connections.map(({ sent }) => sent),
    [[1], [1]],
  );
});

void test('packet ids go on from the last that a message of the session still has', () => {
  const { queues, resumption, live, enqueue, connect } = prepare();
  enqueue(1);
  queues.update('keeper', { ...live(1), messageId: 65_535 });
  const connection = connect();

  resumption.begin(connection.client);

  assert.equal(connection._nextId, 1);
});

void test('packet ids go on behind all that are in use, whichever was spoken of last', () => {
  const { queues, resumption, live, enqueue, connect } = prepare();
  for (const n of [1, 2, 3]) {
    enqueue(n);
    queues.update('keeper', { ...live(n), messageId: ((65_532 + n) % 65_535) + 1 });
  }
  queues.update('keeper', { cmd: 'pubrel', messageId: 65_534 });
  queues.update('keeper', { ...live(2), messageId: 65_535 });
  const connection = connect();

  resumption.begin(connection.client);

  assert.equal(connection._nextId, 2);
});

void test('packet ids go on behind all that are in use after a restart, in whatever order they were given', () => {
  const { queues, resumption, message, connect } = prepare();
  queues.restore('keeper', message(1), { qos: 2, messageId: 11 });
  queues.restore('keeper', message(2), { qos: 1, messageId: 10 });
  const connection = connect();

  resumption.begin(connection.client);

  assert.equal(connection._nextId, 12);
});

void test('a publication that many subscriptions at QoS 0 match is asked about once', () => {
  const { queues, live } = prepare();
  const asked: string[] = [];
  const audience = { grants: (_client: string, topic: string) => asked.push(topic) };
  const deliveries = new Deliveries();
  const resumption = new Resumption({ queues, deliveries, audience });
  const connection = new Connection(resumption);
  resumption.watch(connection.client);

  for (const topic of ['first', 'second']) {
    deliveries.next();
    for (let match = 0; match < 3; match += 1) connection.deliver0({ ...live(1), topic }, () => undefined);
  }

  assert.deepEqual(asked, ['first', 'second']);
});

void test('a packet id whose exchange is open is not given again, by whoever counts', () => {
  const { queues, resumption, live, enqueue, connect } = prepare();
  for (const [n, messageId] of [65_535, 1, 3].entries()) {
    enqueue(n);
    queues.update('keeper', { ...live(n), messageId });
  }
  const connection = connect();
  resumption.watch(connection.client);
  connection._nextId = 65_534;

  const given = [1, 2, 3].map(() => {
    const id = connection._nextId;
    // As Aedes does.
    if (connection._nextId >= 65_535) connection._nextId = 1;
    else connection._nextId += 1;
    return id;
  });

  assert.deepEqual(given, [65_534, 2, 4]);
});

void test('while a SUBSCRIBE is under way what is kept waits, and goes out in its order when all of it is done', () => {
  const { resumption, live, enqueue, connect } = prepare();
  const connection = connect();
  connection.connected = true;
  const deliver = (n: number): void => connection.deliverQoS(live(n), () => undefined);

  resumption.hold(connection.client);
  resumption.hold(connection.client);
  enqueue(1);
  resumption.release(connection.client, 1);
  enqueue(2);
  deliver(2);
  assert.deepEqual(connection.sent, []);
  resumption.release(connection.client, 1);
  enqueue(3);
  deliver(3);

  assert.deepEqual(connection.sent, [1, 2, 3]);
});
