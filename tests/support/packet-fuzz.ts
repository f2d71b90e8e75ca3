// An edge node under clients that send random and damaged packets: it goes on, its other clients never notice, and what it took for
// the bad ones it gives back.
import assert from 'node:assert/strict';
import { connect, type Socket } from 'node:net';
import type { TestContext } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { messageOf } from '../../src/kit/errors.ts';
import { mebibytes, seconds } from '../../src/kit/units.ts';
import { RawClient } from '../integration/broker/raw-client.ts';
import { holdingOf, INSPECTED, type Holding } from './inspected.ts';
import { LoneNode } from './lone-node.ts';
import { sumOf, valueOf } from './metrics.ts';
import { PacketMutants, type Attack } from './packet-mutants.ts';
import type { Program } from './program.ts';
import { waitUntil } from './wait-until.ts';
import { Witnesses } from './witnesses.ts';

export interface FuzzPlan {
  readonly packets: number;
  readonly seed: number;
}

const AT_ONCE = 40;
const SHOWN = 3 * AT_ONCE;
/** Before memory is looked at first, of all packets: by then code is compiled, and the parser's caches are filled. */
const WARM_UP = 0.3;
/** What the heap may grow by; of a long run a little more, for what clients leave whose ids were damaged. */
const mostGrowth = (packets: number): number => mebibytes(1.5) + 20 * packets;
/** What a connection or a client that is gone must not leave behind. */
const LASTING = ['TCPSocketWrap', 'TCPServerWrap', 'Timeout'];
const PASSING = 3;

export async function fuzzPackets(t: TestContext, { packets, seed }: FuzzPlan): Promise<void> {
  t.diagnostic(`SEED=${seed} repeats this run`);
  const node = await LoneNode.started(t, INSPECTED);
  const { program } = node;
  const witnesses = await Witnesses.at(node.url);
  const storm = new Storm(node.port, new PacketMutants(seed));
  await told(storm, program, async () => {
    await storm.rage(packets * WARM_UP);
    const before = await calm(node);
    await storm.rage(packets * (1 - WARM_UP));
    const after = await calm(node);
    const published = sumOf(await metricsOf(program), 'skerry_broker_received_messages_total') - witnesses.said;

    t.diagnostic(`${storm.sent} packets on ${storm.connections} connections, witnesses said ${witnesses.said}`);
    t.diagnostic(`${published} publications and wills of theirs were taken`);
    t.diagnostic(`heap ${inMebibytes(before.heapBytes)} before, ${inMebibytes(after.heapBytes)} after`);
    t.diagnostic(`RSS ${inMebibytes(before.rssBytes)} before, ${inMebibytes(after.rssBytes)} after`);
    await witnesses.testify();
    assert.ok(published > packets / 20, 'too few of the packets were publications to the node: it was not tried');
    // Fewer is no leak: what the node waits for after its start may be over by now. Nor are a few: while records of sessions gather a
    // timer stands for a tenth of a second, and the witnesses go on. What thousands of connections leave behind is more.
    for (const type of LASTING)
      assert.ok((after.handles[type] ?? 0) <= (before.handles[type] ?? 0) + PASSING, `${type} left open`);
    assert.ok(after.heapBytes - before.heapBytes < mostGrowth(packets), 'memory was not given back');
    assert.deepEqual(troublesIn(program.log()), []);
    assert.ok((await fetch(`${program.text('http')}/healthz`)).ok);
    await waitUntil('no connection to be left', () => isLeft(program, 0));
  });
  assert.equal(await program.stop(), 0);
}

/** Failures say what was sent last, so that it can be sent again. */
async function told(storm: Storm, program: Program, run: () => Promise<void>): Promise<void> {
  const ended = program.exited.then((code) => {
    throw new Error(`the node ended with ${code}: ${program.log().slice(-4000)}`);
  });
  try {
    await Promise.race([run(), ended]);
  } catch (error) {
    const what = messageOf(error);
    throw new Error(`${what}\nafter ${storm.sent} packets; the last connections sent\n${storm.last()}`, {
      cause: error,
    });
  }
}

class Storm {
  readonly #port: number;
  readonly #mutants: PacketMutants;
  readonly #last: Attack[] = [];
  sent = 0;
  connections = 0;

  constructor(port: number, mutants: PacketMutants) {
    this.#port = port;
    this.#mutants = mutants;
  }

  /** At least so many packets more. */
  async rage(packets: number): Promise<void> {
    const until = this.sent + packets;
    const attacker = async (): Promise<void> => {
      while (this.sent < until) await this.#attack(this.#next());
    };
    await Promise.all(Array.from({ length: AT_ONCE }, attacker));
  }

  /** In hex, a line for each connection, newest first. */
  last(): string {
    return this.#last
      .map(({ pieces }) => pieces.map((piece) => Buffer.from(piece).toString('hex')).join(' '))
      .join('\n');
  }

  #next(): Attack {
    const attack = this.#mutants.attack();
    this.#last.unshift(attack);
    this.#last.splice(SHOWN);
    this.sent += attack.packets;
    this.connections += 1;
    return attack;
  }

  /** Until all was sent and read, or the node had enough. */
  async #attack({ opening, pieces }: Attack): Promise<void> {
    const socket = connect({ host: '127.0.0.1', port: this.#port, noDelay: true });
    const answers = new Answers(socket);
    await answers.open;
    socket.write(opening);
    // Some do not wait.
    if (this.connections % 4 > 0) await answers.any();
    for (const piece of pieces) {
      if (!socket.destroyed) socket.write(piece);
      if (pieces.length > 1) await new Promise(setImmediate);
    }
    await answers.untilQuiet();
    socket.end();
    await answers.end();
  }
}

/** Milliseconds without an answer, after which there will be none: to a CONNECT, and to anything else. */
const NO_CONNACK = 200;
const QUIET = 20;

/** What comes from the node is looked at only as far as it comes. */
class Answers {
  readonly open: Promise<void>;
  readonly #closed: Promise<void>;
  readonly #socket: Socket;
  #last = performance.now();

  constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('error', () => undefined);
    socket.on('data', () => (this.#last = performance.now()));
    this.#closed = new Promise((resolve) => socket.once('close', () => resolve()));
    this.open = Promise.race([this.#closed, new Promise<void>((resolve) => socket.once('connect', resolve))]);
  }

  async any(): Promise<void> {
    const from = performance.now();
    const isAnswered = (): boolean => this.#socket.destroyed || this.#last > from;
    while (!isAnswered() && performance.now() - from < NO_CONNACK) await delay(1);
  }

  async untilQuiet(): Promise<void> {
    this.#last = performance.now();
    while (!this.#socket.destroyed && performance.now() - this.#last < QUIET) await delay(QUIET / 2);
  }

  async end(): Promise<void> {
    const impatience = setTimeout(() => this.#socket.destroy(), seconds(20));
    await this.#closed;
    clearTimeout(impatience);
  }
}

/** Nobody but the witnesses is connected, and what the sessions and retained topics of the others held is given up. */
async function calm(node: LoneNode): Promise<Holding> {
  const giveUp = async (id: string): Promise<void> => (await RawClient.connected(node.port, id, true)).end();
  await Promise.all(PacketMutants.clientIds.map(giveUp));
  await clearRetained(node.port);
  await waitUntil('the others to be gone', () => isLeft(node.program, 2), seconds(20));
  return holdingOf(node.program);
}

async function clearRetained(port: number): Promise<void> {
  const cleaner = await RawClient.connected(port, 'cleaner');
  for (const filter of ['#', '$hw/#']) await cleaner.subscribe(filter, 0);
  await cleaner.ping();
  for (const packet of [...cleaner.received])
    if (packet.cmd === 'publish' && packet.retain)
      cleaner.send({ cmd: 'publish', topic: packet.topic, payload: '', qos: 0, retain: true, dup: false });
  await cleaner.ping();
  cleaner.end();
}

async function metricsOf(program: Program): Promise<string> {
  return (await fetch(`${program.text('http')}/metrics`)).text();
}

async function isLeft(program: Program, clients: number): Promise<boolean> {
  return valueOf(await metricsOf(program), 'skerry_broker_connections') === clients;
}

/** What a person would have to act on, and what nobody caught. */
function troublesIn(log: string): readonly string[] {
  return log.split('\n').filter((line) => /"level":"?(50|60|error|fatal)"?|unhandled|uncaught/i.test(line));
}

const inMebibytes = (bytes: number): string => `${(bytes / 2 ** 20).toFixed(1)} MiB`;
