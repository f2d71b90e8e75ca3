// The desired bucket as the hub reads and writes it. Every write names the revision it replaces, so two hubs, or a hub and its
// own delayed request, never overwrite each other unseen.
import { readLast, putIfRevision, receiptOf } from '../../nats/direct-get.ts';
import { natsErrors } from '../../nats/errors.ts';
import { streamFacts, subjectsOf } from '../../nats/jetstream-admin.ts';
import type { NatsLink } from '../../nats/nats-link.ts';
import { decodeIndex, encodeIndex, type DesiredIndex } from '../../wire/desired.ts';
import {
  bucketSubject,
  DESIRED_BUCKET,
  DESIRED_STREAM,
  indexKey,
  keyOfBucketSubject,
} from '../../wire/nats-subjects.ts';
import type { Forgeries } from '../forgeries.ts';
import type { Held, Put } from './desired-diff.ts';

export interface HeldIndex {
  readonly revision: number;
  readonly index: DesiredIndex | undefined;
}

export class DesiredBucket {
  readonly #link: NatsLink;
  readonly #forgeries: Forgeries;

  constructor(tools: { readonly link: NatsLink; readonly forgeries: Forgeries }) {
    this.#link = tools.link;
    this.#forgeries = tools.forgeries;
  }

  /** Changes when the bucket was made anew and revisions start again. */
  async identity(): Promise<string> {
    return (await streamFacts(this.#link, DESIRED_STREAM)).created;
  }

  /** Every key that has an entry, be it a deletion mark. */
  async keys(): Promise<readonly string[]> {
    const subjects = await subjectsOf(this.#link, DESIRED_STREAM, bucketSubject(DESIRED_BUCKET, '>'));
    return subjects.map((subject) => keyOfBucketSubject(DESIRED_BUCKET, subject)).filter((key) => key !== undefined);
  }

  async read(key: string): Promise<Held | undefined> {
    const entry = await readLast(this.#link, DESIRED_STREAM, bucketSubject(DESIRED_BUCKET, key));
    if (entry === undefined) return undefined;
    // What it holds is nothing, and is written over.
    if (entry.made !== undefined) this.#forgeries.note('desired', entry.subject, entry.made);
    return { revision: entry.sequence, bytes: entry.operation === undefined ? entry.data : undefined };
  }

  async readIndex(node: string): Promise<HeldIndex> {
    const held = await this.read(indexKey(node));
    return {
      revision: held?.revision ?? 0,
      index: held?.bytes === undefined ? undefined : decodeIndex(held.bytes),
    };
  }

  async put({ key, bytes, over }: Put): Promise<number | 'conflict'> {
    return await putIfRevision(this.#link, bucketSubject(DESIRED_BUCKET, key), bytes, over);
  }

  async putIndex(node: string, index: DesiredIndex, over: number): Promise<number | 'conflict'> {
    return await this.put({ key: indexKey(node), bytes: encodeIndex(index), over });
  }

  /** Leaves a deletion mark, as any client of the bucket would. */
  async remove(key: string, over: number): Promise<number | 'conflict'> {
    const subject = bucketSubject(DESIRED_BUCKET, key);
    const headers = { 'KV-Operation': 'DEL', 'Nats-Expected-Last-Subject-Sequence': String(over) };
    const receipt = receiptOf(await this.#link.request(subject, new Uint8Array(), { headers }));
    if (receipt.kind === 'stored') return receipt.sequence;
    if (receipt.kind === 'wrong-sequence') return 'conflict';
    throw natsErrors.NATS_UNAVAILABLE({ subject });
  }
}
