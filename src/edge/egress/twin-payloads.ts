// KubeEdge's payloads, field by field and in its order (reference: kubeedge-contract, section 1.5). Pure.
import { deltaOf } from '../../model/desired-rules.ts';
import type { Touched } from '../../model/property-update.ts';
import { isThere, type Twin, type TwinProperty } from '../../model/twin.ts';

interface MsgValue {
  readonly value: string;
  readonly metadata: { readonly timestamp: number };
}

/** A twin property as KubeEdge clients read it. */
export interface MsgTwin {
  readonly expected?: MsgValue;
  readonly actual?: MsgValue;
  readonly optional: boolean;
  readonly metadata: { readonly type: string };
}

interface Head {
  readonly eventId: string;
  readonly now: number;
}

/** Answer to an update: only what it changed, and of that only the parts it supplied; `null` for what it removed. */
export function resultPayload(head: Head, after: Twin, touched: readonly Touched[]): string {
  const twin = touched.map((one): readonly [string, MsgTwin | null] => {
    const property = after.properties[one.property];
    return [one.property, one.kind === 'removed' || property === undefined ? null : suppliedParts(head, property, one)];
  });
  return envelope(head, `"twin":${sortedObject(twin)}`);
}

/** What is expected is answered as it was understood: beside `actual` it is no wish, and the desired value may be another. */
function suppliedParts(
  { now }: Head,
  property: TwinProperty,
  { isReported, expected }: Extract<Touched, { readonly kind: 'set' }>,
): MsgTwin {
  const { actual, optional, metadata } = msgTwin(property);
  return {
    ...(expected === undefined ? {} : { expected: msgValue(expected, now) }),
    ...(isReported && actual !== undefined ? { actual } : {}),
    optional,
    metadata,
  };
}

/** The whole twin. */
export function twinPayload(head: Head, twin: Twin): string {
  return envelope(head, `"twin":${sortedObject(msgTwins(twin))}`);
}

/** The named properties before and after a change; `undefined` where none of them is, or was, there. */
export function documentPayload(
  head: Head,
  before: Twin | undefined,
  after: Twin,
  properties: readonly string[],
): string | undefined {
  const changed = properties
    .map((name) => {
      const last = msgTwinOrNull(before?.properties[name]);
      return [name, { last, current: msgTwinOrNull(after.properties[name]) }] as const;
    })
    .filter(([, { last, current }]) => last !== null || current !== null);
  return changed.length === 0 ? undefined : envelope(head, `"twin":${sortedObject(changed)}`);
}

/** Every property that has a desired value, and the ones that are not yet as desired; `undefined` when all are. */
export function deltaPayload(head: Head, twin: Twin): string | undefined {
  const delta = Object.entries(deltaOf(twin));
  if (delta.length === 0) return undefined;
  const wanted = msgTwins(twin).filter(([, { expected }]) => expected !== undefined && expected.value !== '');
  return envelope(head, `"twin":${sortedObject(wanted)},"delta":${sortedObject(delta)}`);
}

export function statePayload(head: Head, twin: Twin): string {
  const { state } = twin;
  const lastOnline = lastOnlineOf(twin);
  const lastOnlineTime = lastOnline === undefined ? {} : { lastOnlineTime: lastOnline };
  const device = { name: twin.name, ...(state === undefined ? {} : { state: state.state }), ...lastOnlineTime };
  return envelope(head, `"device":${JSON.stringify(device)}`);
}

/** When a device that is up said so, in whole seconds. */
export function lastOnlineOf({ state }: Pick<Twin, 'state'>): string | undefined {
  const isUp = state !== undefined && ['online', 'ok'].includes(state.state.toLowerCase());
  return isUp ? `${new Date(state.seenAt ?? state.at).toISOString().slice(0, 19)}Z` : undefined;
}

export function errorPayload(head: Head, error: { readonly code: number; readonly reason: string }): string {
  return envelope(head, `"code":${error.code},"reason":${JSON.stringify(error.reason)}`);
}

function envelope({ eventId, now }: Head, body: string): string {
  return `{"event_id":${JSON.stringify(eventId)},"timestamp":${now},${body}}`;
}

/** Sorted by name, as KubeEdge writes it. As text: an object of JavaScript puts names that are numbers first. */
function sortedObject(entries: readonly (readonly [string, unknown])[]): string {
  const sorted = [...entries].sort(([one], [other]) => (one < other ? -1 : 1));
  return `{${sorted.map(([name, value]) => `${JSON.stringify(name)}:${JSON.stringify(value)}`).join(',')}}`;
}

const msgTwinOrNull = (property: TwinProperty | undefined): MsgTwin | null =>
  property !== undefined && isThere(property) ? msgTwin(property) : null;

function msgTwins(twin: Twin): readonly (readonly [string, MsgTwin])[] {
  return Object.entries(twin.properties)
    .filter(([, property]) => isThere(property))
    .map(([name, property]) => [name, msgTwin(property)]);
}

function msgTwin({ desired, reported, type, typeName, optional }: TwinProperty): MsgTwin {
  return {
    ...(desired === undefined ? {} : { expected: msgValue(desired.value, desired.at) }),
    ...(reported === undefined ? {} : { actual: msgValue(reported.value, reported.at) }),
    optional: optional !== false,
    metadata: { type: typeName ?? type.toLowerCase() },
  };
}

const msgValue = (value: string, timestamp: number): MsgValue => ({ value, metadata: { timestamp } });
