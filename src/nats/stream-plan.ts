// The streams and buckets Skerry needs, as data. Pure: `planStreams` compares with what exists and says what to create or change.
import {
  CLAIM_BUCKET,
  DESIRED_BUCKET,
  POISON_STREAM,
  POISON_SUBJECTS,
  STATE_STREAM,
  STATE_SUBJECTS,
  UP_STREAM,
  UP_SUBJECTS,
} from '../wire/nats-subjects.ts';
import { MAX_MESSAGE_BYTES } from '../wire/limits.ts';
import { mebibytes, seconds, type Bytes, type Duration } from '../kit/units.ts';

/** The part of JetStream's stream configuration that Skerry decides; field names are the server's. */
export interface StreamShape {
  readonly name: string;
  readonly subjects: readonly string[];
  readonly max_msgs_per_subject: number;
  readonly max_age: number;
  readonly max_bytes: number;
  readonly max_msg_size: number;
  readonly duplicate_window: number;
  readonly discard: 'old' | 'new';
  readonly allow_direct: boolean;
  readonly allow_rollup_hdrs: boolean;
  readonly deny_delete: boolean;
}

const NANOSECONDS_PER_MILLISECOND = 1_000_000;
const nanoseconds = (duration: Duration): number => duration * NANOSECONDS_PER_MILLISECOND;

export const DUPLICATE_WINDOW = seconds(120);
const UP_STREAM_AGE = seconds(7 * 24 * 3600);
const SET_ASIDE_AGE = seconds(7 * 24 * 3600);

const base = {
  max_msgs_per_subject: -1,
  max_age: 0,
  max_bytes: -1,
  max_msg_size: MAX_MESSAGE_BYTES,
  duplicate_window: nanoseconds(DUPLICATE_WINDOW),
  discard: 'old',
  allow_direct: true,
  // A Nats-Rollup header purges: a node that may write its own key could empty the whole bucket with it.
  allow_rollup_hdrs: false,
  deny_delete: false,
} as const;

/** A subject is one message, so that one set aside again after a replay replaces its copy. */
const POISON_LIMITS = {
  max_msgs_per_subject: 1,
  max_age: nanoseconds(SET_ASIDE_AGE),
  max_bytes: mebibytes(64),
};

/** @param duplicateWindow how long the stream of reports knows a message id again; chains need none (ADR 0004), so a short one must do */
export function wantedStreams(upStreamBytes: Bytes, duplicateWindow = DUPLICATE_WINDOW): readonly StreamShape[] {
  const bucket = (name: string): StreamShape => ({
    ...base,
    name: `KV_${name}`,
    subjects: [`$KV.${name}.>`],
    max_msgs_per_subject: 1,
    discard: 'new',
    deny_delete: true,
  });
  const up: StreamShape = {
    ...base,
    name: UP_STREAM,
    subjects: [UP_SUBJECTS],
    max_age: nanoseconds(UP_STREAM_AGE),
    max_bytes: upStreamBytes,
    duplicate_window: nanoseconds(duplicateWindow),
  };
  return [
    up,
    { ...base, name: STATE_STREAM, subjects: [STATE_SUBJECTS], max_msgs_per_subject: 1 },
    { ...base, ...POISON_LIMITS, name: POISON_STREAM, subjects: POISON_SUBJECTS },
    bucket(DESIRED_BUCKET),
    bucket(CLAIM_BUCKET),
  ];
}

export interface StreamChange {
  readonly action: 'create' | 'update';
  readonly shape: StreamShape;
}

export function planStreams(
  wanted: readonly StreamShape[],
  existing: ReadonlyMap<string, Partial<StreamShape>>,
): readonly StreamChange[] {
  return wanted.flatMap((shape): StreamChange[] => {
    const found = existing.get(shape.name);
    if (found === undefined) return [{ action: 'create', shape }];
    return isAsWanted(shape, found) ? [] : [{ action: 'update', shape }];
  });
}

function isAsWanted(shape: StreamShape, found: Partial<StreamShape>): boolean {
  return Object.entries(shape).every(([field, value]) => {
    const actual = found[field as keyof StreamShape];
    // The server leaves out what is false.
    return JSON.stringify(actual ?? false) === JSON.stringify(value);
  });
}
