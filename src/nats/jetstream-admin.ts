// The hub's side of JetStream: streams, buckets and the position of its consumer. Nodes have no right to any of this.
import { DiscardPolicy, RetentionPolicy, StorageType, type StreamConfig, type JetStreamManager } from 'nats';
import { natsErrors } from './errors.ts';
import type { NatsLink } from './nats-link.ts';
import { planStreams, type StreamShape } from './stream-plan.ts';

export interface StreamFacts {
  readonly created: string;
  readonly lastSequence: number;
}

async function manager(link: NatsLink): Promise<JetStreamManager> {
  const connection = link.jetStreamConnection();
  if (connection === undefined) throw natsErrors.NATS_UNAVAILABLE({ subject: '$JS.API' });
  try {
    return await connection.jetstreamManager();
  } catch (error) {
    throw natsErrors.NATS_UNAVAILABLE({ subject: '$JS.API.INFO' }, error);
  }
}

/** Creates or changes the streams until they are as wanted. Rejects with NATS_UNAVAILABLE; trying again is safe. */
export async function ensureStreams(link: NatsLink, wanted: readonly StreamShape[]): Promise<void> {
  const jsm = await manager(link);
  try {
    const existing = new Map<string, StreamConfig>();
    for await (const info of jsm.streams.list()) existing.set(info.config.name, info.config);
    for (const { action, shape } of planStreams(wanted, existing)) {
      const config = { ...shape, subjects: [...shape.subjects], discard: discardOf(shape) };
      if (action === 'update') await jsm.streams.update(shape.name, config);
      else await jsm.streams.add({ ...config, retention: RetentionPolicy.Limits, storage: StorageType.File });
    }
  } catch (error) {
    throw natsErrors.NATS_UNAVAILABLE({ subject: '$JS.API.STREAM' }, error);
  }
}

const discardOf = (shape: StreamShape): DiscardPolicy =>
  shape.discard === 'new' ? DiscardPolicy.New : DiscardPolicy.Old;

export async function streamFacts(link: NatsLink, stream: string): Promise<StreamFacts> {
  const jsm = await manager(link);
  try {
    const info = await jsm.streams.info(stream);
    return { created: info.created, lastSequence: info.state.last_seq };
  } catch (error) {
    throw natsErrors.NATS_UNAVAILABLE({ subject: `$JS.API.STREAM.INFO.${stream}` }, error);
  }
}

/** Every subject that matches and holds a message. Rejects with NATS_UNAVAILABLE. */
export async function subjectsOf(link: NatsLink, stream: string, filter: string): Promise<readonly string[]> {
  const jsm = await manager(link);
  try {
    const info = await jsm.streams.info(stream, { subjects_filter: filter });
    return Object.keys(info.state.subjects ?? {});
  } catch (error) {
    throw natsErrors.NATS_UNAVAILABLE({ subject: `$JS.API.STREAM.INFO.${stream}` }, error);
  }
}
