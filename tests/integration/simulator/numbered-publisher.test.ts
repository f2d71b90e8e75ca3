import assert from 'node:assert/strict';
import { createServer, type AddressInfo, type Server } from 'node:net';
import { generate, parser, type IPublishPacket } from 'mqtt-packet';
import { once } from 'node:events';
import { test, type TestContext } from 'node:test';
import { NumberedPublisher } from '../../../simulator/numbers/numbered-publisher.ts';
import { systemClock } from '../../../src/kit/clock.ts';
import { Deadline } from '../../../src/kit/deadline.ts';
import { silentLogger } from '../../../src/kit/logger.ts';
import { seconds } from '../../../src/kit/units.ts';
import { waitUntil } from '../../support/wait-until.ts';

interface Heard {
  readonly device: string;
  readonly number: string;
  readonly eventId: string | undefined;
  readonly dup: boolean;
}

/** A broker of bare packets: acknowledges when it is told to, and can drop its connections. */
class BareBroker {
  readonly heard: Heard[] = [];
  readonly sessions: boolean[] = [];
  acknowledges = true;
  readonly #server: Server;
  readonly #drops: (() => void)[] = [];

  constructor() {
    this.#server = createServer((socket) => {
      const incoming = parser();
      this.#drops.push(() => socket.destroy());
      socket.on('error', () => undefined);
      socket.on('data', (chunk) => incoming.parse(chunk));
      incoming.on('packet', (packet) => {
        if (packet.cmd === 'connect') {
          this.sessions.push(packet.clean === true);
          socket.write(generate({ cmd: 'connack', returnCode: 0, sessionPresent: packet.clean !== true }));
        }
        if (packet.cmd !== 'publish') return;
        this.heard.push(heardIn(packet));
        if (this.acknowledges) socket.write(generate({ cmd: 'puback', messageId: packet.messageId ?? 0 }));
      });
    });
  }

  async listen(): Promise<string> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    return `mqtt://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  drop(): void {
    for (const drop of this.#drops.splice(0)) drop();
  }

  close(): void {
    this.#server.close();
    this.drop();
  }
}

function heardIn({ topic, payload, dup }: IPublishPacket): Heard {
  const request = JSON.parse(payload.toString()) as {
    event_id?: string;
    twin: { number: { actual: { value: string } } };
  };
  const { value } = request.twin.number.actual;
  return { device: topic.split('/')[4] ?? '', number: value, eventId: request.event_id, dup };
}

async function start(t: TestContext, resendsBy: 'event_id' | 'dup') {
  const broker = new BareBroker();
  const acknowledged: string[] = [];
  const publisher = new NumberedPublisher(
    {
      mqttUrl: await broker.listen(),
      clientName: 'numbers',
      devices: ['a', 'b'].map((name) => ({ namespace: 'default', name })),
      resendsBy,
    },
    {
      onAcknowledged: ({ name }, number) => acknowledged.push(`${name}${number}`),
      logger: silentLogger,
      clock: systemClock,
    },
  );
  await publisher.start(new AbortController().signal);
  t.after(async () => {
    await publisher.stop(Deadline.after(seconds(1)));
    broker.close();
  });
  // What was said before that would be sent one by one, each after the one before was acknowledged.
  await waitUntil('the publisher to be connected', () => publisher.health().state === 'ok');
  return { broker, publisher, acknowledged };
}

const numbersOf = (heard: readonly Heard[]): string[] => heard.map(({ device, number }) => `${device}${number}`);

void test('devices take turns and count up, and what is acknowledged is told', async (t) => {
  const { broker, publisher, acknowledged } = await start(t, 'event_id');

  for (let said = 0; said < 5; said += 1) assert.ok(publisher.publishNext());
  await waitUntil('all to be acknowledged', () => publisher.unacknowledged === 0);

  assert.deepEqual(acknowledged, ['a1', 'b1', 'a2', 'b2', 'a3']);
  assert.deepEqual(numbersOf(broker.heard), acknowledged);
  assert.deepEqual([publisher.newestOf(0), publisher.newestOf(1)], [3, 2]);
});

void test('what was sent and not acknowledged is sent again with DUP in the same session', async (t) => {
  const { broker, publisher, acknowledged } = await start(t, 'dup');
  broker.acknowledges = false;
  publisher.publishNext();
  publisher.publishNext();
  await waitUntil('both to be heard', () => broker.heard.length === 2);

  broker.acknowledges = true;
  broker.drop();

  await waitUntil('all to be acknowledged', () => publisher.unacknowledged === 0);
  assert.deepEqual(broker.sessions, [false, false]);
  assert.deepEqual(
    broker.heard.map(({ number, device, dup, eventId }) => [`${device}${number}`, dup, eventId]),
    [
      ['a1', false, undefined],
      ['b1', false, undefined],
      ['a1', true, undefined],
      ['b1', true, undefined],
    ],
  );
  assert.deepEqual(acknowledged, ['a1', 'b1']);
});

void test('what was said without a connection is sent for the first time, and not as a resend', async (t) => {
  const { broker, publisher } = await start(t, 'dup');
  broker.drop();
  await waitUntil('the connection to be gone', () => publisher.health().state === 'degraded');
  publisher.publishNext();

  await waitUntil('it to be acknowledged', () => publisher.unacknowledged === 0);
  assert.deepEqual(
    broker.heard.map(({ number, dup }) => [number, dup]),
    [['1', false]],
  );
});

void test('a resend of a request that names itself repeats the name', async (t) => {
  const { broker, publisher } = await start(t, 'event_id');
  broker.acknowledges = false;
  publisher.publishNext();
  await waitUntil('it to be heard', () => broker.heard.length === 1);
  broker.acknowledges = true;
  broker.drop();
  await waitUntil('it to be acknowledged', () => publisher.unacknowledged === 0);

  const [first, second] = broker.heard;
  assert.ok(first?.eventId !== undefined && first.eventId.length > 0);
  assert.equal(second?.eventId, first.eventId);
  assert.deepEqual(broker.sessions, [true, true]);
});

void test('what was said while resends were under way is not given up when they fail, and keeps its order', async (t) => {
  const { broker, publisher, acknowledged } = await start(t, 'dup');
  broker.acknowledges = false;
  publisher.publishNext();
  publisher.publishNext();
  await waitUntil('both to be heard', () => broker.heard.length === 2);
  broker.drop();
  await waitUntil('the first resend, which is not acknowledged', () => broker.heard.length === 3);
  for (let said = 0; said < 4; said += 1) publisher.publishNext();

  broker.drop();
  await waitUntil('the next resend', () => broker.heard.length === 4);
  broker.acknowledges = true;
  broker.drop();

  await waitUntil('all to be acknowledged', () => publisher.unacknowledged === 0);
  assert.deepEqual(acknowledged, ['a1', 'b1', 'a2', 'b2', 'a3', 'b3']);
  assert.deepEqual([...new Set(numbersOf(broker.heard))], acknowledged);
});

void test('past its limit of unacknowledged publications it says nothing new', async (t) => {
  const { broker, publisher } = await start(t, 'dup');
  broker.acknowledges = false;
  let said = 0;
  while (publisher.publishNext()) said += 1;

  assert.equal(said, 500);
  assert.equal(publisher.newestOf(0), 250);
});
