// Messages a second from the uplink into a real stream, one fact each, every chain always with another one waiting, beside a bare
// publisher of the same bytes that keeps as many in flight. The facts come from memory: the store's part is in the gate's table.
import { connect, createInbox, headers, type NatsConnection } from 'nats';
import { setTimeout as delay } from 'node:timers/promises';
import type { ChainPosition, OutboxEntry } from '../../src/edge/outbox/chain-backlog.ts';
import { Uplink, type UplinkTools } from '../../src/edge/uplink/uplink.ts';
import { systemClock } from '../../src/kit/clock.ts';
import { StampClock } from '../../src/kit/stamp-clock.ts';
import { Deadline } from '../../src/kit/deadline.ts';
import { silentLogger } from '../../src/kit/logger.ts';
import { mebibytes, seconds } from '../../src/kit/units.ts';
import { ensureStreams } from '../../src/nats/jetstream-admin.ts';
import { NatsLink } from '../../src/nats/nats-link.ts';
import { wantedStreams } from '../../src/nats/stream-plan.ts';
import { chainSubject } from '../../src/wire/nats-subjects.ts';
import { startNats, type TestNats } from '../../tests/support/nats-server.ts';
import { waitUntil } from '../../tests/support/wait-until.ts';
import { printRows, ratio, type Row } from '../table.ts';

const CHAINS = [1, 100, 256, 1000];
const MEASURED_MS = 5000;
const SETTLE_MS = 1000;
const NODE = 'bench';

export async function benchUplink(): Promise<void> {
  const rows: Row[] = [];
  for (const chains of CHAINS) rows.push(await rowFor(chains));
  printRows('Uplink: messages/s into JetStream (file storage), one fact of one change each', rows);
}

/** Each on a server of its own; bare, uplink, bare again, so that what the machine does meanwhile shows. */
async function rowFor(chains: number): Promise<Row> {
  const before = await onServer((nats) => bare(nats, chains, false));
  const guarded = await onServer((nats) => bare(nats, chains, true));
  const { rate, bytes } = await onServer((nats) => uplink(nats, chains));
  const after = await onServer((nats) => bare(nats, chains, false));
  const mean = (before + after) / 2;
  return {
    what: `messages/s, ${chains} ${chains === 1 ? 'chain' : 'chains'}`,
    figure: rate.toFixed(0),
    beside:
      `${ratio(rate, mean)} of a bare publisher without any header (${before.toFixed(0)} and ${after.toFixed(0)}), ` +
      `${ratio(rate, guarded)} of one with message id and expected sequence (${guarded.toFixed(0)}); ${chains} in flight, ${bytes} bytes`,
  };
}

async function onServer<T>(measure: (nats: TestNats) => Promise<T>): Promise<T> {
  await using nats = await startNats();
  const link = linkTo(nats, 'admin');
  await link.start(new AbortController().signal);
  await waitUntil('the link', () => link.connected);
  await ensureStreams(link, wantedStreams(mebibytes(4096)));
  await link.stop(Deadline.after(seconds(1)));
  return await measure(nats);
}

const linkTo = ({ url, user, password }: TestNats, clientName: string): NatsLink =>
  new NatsLink(
    { credentials: () => ({ url, user, password }), clientName, inboxPrefix: `_INBOX_${clientName}` },
    { logger: silentLogger },
  );

/** Counts calls; the rate of those between the settling time and the end. */
class Meter {
  #count = 0;

  tick(): void {
    this.#count += 1;
  }

  async rate(): Promise<number> {
    await delay(SETTLE_MS);
    const [first, begun] = [this.#count, performance.now()];
    await delay(MEASURED_MS);
    return ((this.#count - first) * 1000) / (performance.now() - begun);
  }
}

const factOf = (sequence: number, name: string): OutboxEntry => ({
  sequence,
  incarnation: '0123456789abcdef0123',
  fact: {
    device: { namespace: 'default', name },
    uid: '6d1f2a9c-0d5a-4b5e-9a53-2f1f1c0a7c11',
    binding: 1,
    at: 1_790_000_000_000,
    changes: [{ kind: 'reported', property: 'number', type: 'INT', value: String(sequence), n: sequence }],
    eventId: `n-${sequence}`,
  },
});

/** An outbox that always has exactly one more fact on every chain. */
class EndlessFacts {
  readonly #positions = new Map<string, ChainPosition>();
  readonly #meter: Meter;
  #sequence = 0;

  constructor(chains: number, meter: Meter) {
    this.#meter = meter;
    for (let n = 0; n < chains; n += 1)
      this.#positions.set(chainSubject(NODE, 'twin', { namespace: 'default', name: `d${n}` }), NOWHERE);
  }

  get newest(): number {
    return this.#sequence;
  }

  onWork(): void {
    // There is always work.
  }

  chains(): Iterable<string> {
    return this.#positions.keys();
  }

  position(chain: string): ChainPosition {
    return this.#positions.get(chain) ?? NOWHERE;
  }

  depth(): number {
    return this.#positions.size;
  }

  oldest(chain: string): Promise<readonly OutboxEntry[]> {
    this.#sequence += 1;
    return Promise.resolve([factOf(this.#sequence, chain.slice(chain.lastIndexOf('.') + 1))]);
  }

  acknowledge(chain: string, position: ChainPosition): void {
    this.#positions.set(chain, position);
    this.#meter.tick();
  }

  moveTo(chain: string, position: ChainPosition): Promise<void> {
    this.#positions.set(chain, position);
    return Promise.resolve();
  }
}

const NOWHERE: ChainPosition = { acknowledged: 0, streamSequence: 0 };

async function uplink(nats: TestNats, chains: number): Promise<{ readonly rate: number; readonly bytes: number }> {
  const meter = new Meter();
  const link = linkTo(nats, NODE);
  const outbox = new EndlessFacts(chains, meter) as unknown as UplinkTools['outbox'];
  const incarnation = '0123456789abcdef0123';
  const identity = { storeId: 'bench', incarnation, starts: [], others: [], term: 1, terms: [], mayTakeOver: false };
  const nothing = (): void => undefined;
  const part = new Uplink(
    { node: NODE },
    {
      ...{
        link,
        outbox,
        clock: new StampClock(systemClock),
        logger: silentLogger,
        onClaimed: nothing,
        onDiverged: nothing,
      },
      identity: () => identity,
      keep: () => Promise.resolve(),
    },
  );
  const never = new AbortController().signal;
  await link.start(never);
  await part.start(never);
  const rate = await meter.rate();
  const bytes = await lastPayloadSize(nats);
  await link.stop(Deadline.after(seconds(1)));
  await part.stop(Deadline.after(seconds(1)));
  return { rate, bytes };
}

async function lastPayloadSize(nats: TestNats): Promise<number> {
  const connection = await connected(nats);
  const manager = await connection.jetstreamManager();
  const { state } = await manager.streams.info('skerry-up');
  const { data } = await manager.streams.getMessage('skerry-up', { seq: state.last_seq });
  await connection.close();
  return data.length;
}

const connected = ({ url, user, password }: TestNats): Promise<NatsConnection> =>
  connect({ servers: url, user, pass: password });

/** What a user would write for speed: raw publishes, one inbox, so many in flight, one per subject. */
async function bare(nats: TestNats, inFlight: number, isGuarded: boolean): Promise<number> {
  const connection = await connected(nats);
  const inbox = createInbox();
  const meter = new Meter();
  const payload = Buffer.alloc(480, 120);
  const subjects = Array.from({ length: inFlight }, (_, n) =>
    chainSubject(NODE, 'twin', { namespace: 'default', name: `d${n}` }),
  );
  const replies = subjects.map((_, lane) => `${inbox}.${lane}`);
  let id = 0;
  const publish = (lane: number, expected: number): void => {
    const options = { reply: replies[lane] ?? '' };
    if (!isGuarded) {
      connection.publish(subjects[lane] ?? '', payload, options);
      return;
    }
    const guard = headers();
    guard.set('Nats-Msg-Id', `0123456789abcdef0123.${(id += 1)}`);
    guard.set('Nats-Expected-Last-Subject-Sequence', String(expected));
    connection.publish(subjects[lane] ?? '', payload, { ...options, headers: guard });
  };
  connection.subscribe(`${inbox}.*`, {
    callback: (_error, message) => {
      meter.tick();
      const { seq } = JSON.parse(Buffer.from(message.data).toString()) as { readonly seq: number };
      publish(Number(message.subject.slice(inbox.length + 1)), seq);
    },
  });
  for (let lane = 0; lane < inFlight; lane += 1) publish(lane, 0);
  const rate = await meter.rate();
  await connection.close();
  return rate;
}
