// Facts outside: CloudEvents 1.0 JSON batches (`application/cloudevents-batch+json`), oldest event first. One event names one
// change. This is what cloud services subscribe to; docs/reference/subjects.md describes every field.
import type { Change, Fact, GapChange, MessageChange, RejectedChange, StateChange } from '../model/fact.ts';
import { propertyTypeNamed } from '../model/property-value.ts';
import type { DeviceId, PropertyType } from '../model/device.ts';
import { deviceKey, parseDeviceKey } from '../model/device.ts';
import type { Version } from '../model/version.ts';
import { asArray, asInteger, asObject, asString, parseJson, type JsonObject } from './json.ts';
import { decodeOverrides, encodeOverrides, type OverrideNews } from './override-news.ts';

export const BATCH_CONTENT_TYPE = 'application/cloudevents-batch+json';

export const EVENT_TYPES = {
  reported: 'io.skerry.twin.reported.v1',
  observed: 'io.skerry.twin.observed.v1',
  removed: 'io.skerry.twin.removed.v1',
  state: 'io.skerry.device.state.v1',
  override: 'io.skerry.twin.override.v1',
  gap: 'io.skerry.outbox.gap.v1',
  rejected: 'io.skerry.device.rejected.v1',
  message: 'io.skerry.message.v1',
} as const;

/** What the publisher knows besides the fact itself. */
export interface Stamp {
  readonly node: string;
  /** `<incarnation>.<sequence>` of the fact; events of one fact add their place. */
  readonly id: string;
  readonly term: number;
  /** True for backlog: the device may have newer values already. */
  readonly historical: boolean;
}

export interface Gap extends Omit<GapChange, 'kind' | 'reason'> {
  /** One of `GapChange`, or one that a newer edge gives. */
  readonly reason: string;
}
export type Rejects = Omit<RejectedChange, 'kind'>;

/** Messages are for other readers. */
type EventKind = Exclude<Change['kind'], 'message'>;

/** One event of a device, decoded. `property`, `type` and `value` are those of the change; a state event has `property` `""`, a gap, removal or override no value. */
export interface DeviceEvent {
  readonly id: string;
  readonly kind: EventKind;
  readonly node: string;
  readonly device: DeviceId;
  readonly uid: string;
  readonly property: string;
  readonly type: PropertyType;
  readonly value: string;
  readonly version: Version;
  readonly receivedAt: number;
  readonly deviceTime?: number;
  readonly historical: boolean;
  /** Of a `gap` event. */
  readonly gap?: Gap;
  /** Of a `state` event: when the device was last alive, where the node noticed what it says. */
  readonly seenAt?: number;
  /** Of a `state` event: what the node noticed. */
  readonly cause?: string;
  /** Of an `override` event. */
  readonly override?: OverrideNews;
  /** Of a `rejected` event. */
  readonly rejected?: Rejects;
}

const SOURCE_PREFIX = '/skerry/nodes/';

/**
 * The events of one fact as JSON text, comma-separated, ready to stand in a batch. Put together as text: objects made for
 * `JSON.stringify` alone cost four times as much, a third of all that the uplink does for a message.
 */
export function encodeFact(fact: Fact, stamp: Stamp): string {
  let text = '';
  for (const [place, change] of fact.changes.entries())
    text += `${place === 0 ? '' : ','}${encodeEvent(fact, change, { ...stamp, id: `${stamp.id}.${place}` })}`;
  return text;
}

export function encodeBatch(encodedFacts: readonly string[]): Uint8Array {
  return Buffer.from(`[${encodedFacts.join(',')}]`);
}

function encodeEvent(fact: Fact, change: Change, { node, id, term, historical }: Stamp): string {
  const received = timeText(fact.at);
  const subject = fact.device === undefined ? '' : `"subject":${json(deviceKey(fact.device))},`;
  const head =
    `{"specversion":"1.0","id":${json(id)},"source":${json(`${SOURCE_PREFIX}${node}`)},"type":"${EVENT_TYPES[change.kind]}",` +
    `${subject}"time":"${received}",`;
  const late = historical ? ',"historical":true' : '';
  if (change.kind === 'message') return `${head}${encodeMessage(change)}${late}}`;
  const eventId = fact.eventId === undefined ? '' : `,"eventId":${json(fact.eventId)}`;
  return (
    `${head}"datacontenttype":"application/json",` +
    `"data":{${encodeChange(change)}${encodeOrigin(fact, change, term)},"receivedTime":"${received}"${eventId}${late}}}`
  );
}

/** The payload is the event's data, so that what the edge says of it stands beside it: `topic` and `historical` are extensions. */
function encodeMessage({ topic, payload }: MessageChange): string {
  const data =
    'json' in payload
      ? `"datacontenttype":"application/json","data":${payload.json}`
      : `"datacontenttype":"application/octet-stream","data_base64":"${payload.base64}"`;
  return `"topic":${json(topic)},${data}`;
}

function encodeOrigin(fact: Fact, change: Change, term: number): string {
  if (fact.device === undefined) return '';
  const n = 'n' in change ? change.n : 0;
  return `,"uid":${json(fact.uid)},"version":{"binding":${fact.binding},"term":${term},"n":${n}},"quality":"good"`;
}

function encodeChange(change: Exclude<Change, MessageChange>): string {
  if (change.kind === 'state') return encodeState(change);
  if (change.kind === 'gap') return `"gap":${JSON.stringify(gapOf(change))}`;
  if (change.kind === 'rejected') return `"rejected":${JSON.stringify(rejectsOf(change))}`;
  if (change.kind === 'removed') return `"property":${json(change.property)}`;
  if (change.kind === 'override') return `"overrides":${JSON.stringify(encodeOverrides(change))}`;
  const { property, value, type, deviceTime } = change;
  const time = deviceTime === undefined ? '' : `,"deviceTime":"${new Date(deviceTime).toISOString()}"`;
  return `"property":${json(property)},"value":${json(value)},"type":"${type}"${time}`;
}

function encodeState({ state, seenAt, cause }: StateChange): string {
  const seen = seenAt === undefined ? '' : `,"lastSeenTime":"${new Date(seenAt).toISOString()}"`;
  return `"state":${json(state)}${seen}${cause === undefined ? '' : `,"cause":${json(cause)}`}`;
}

const json = (text: string): string => JSON.stringify(text);

/** Facts that were received in one moment are encoded one after the other. */
let lastTime = { moment: 0, text: new Date(0).toISOString() };

function timeText(moment: number): string {
  if (lastTime.moment !== moment) lastTime = { moment, text: new Date(moment).toISOString() };
  return lastTime.text;
}

function gapOf({ reason, changes, from, through, since, until }: GapChange): JsonObject {
  return { reason, changes, from, through, ...spanOf({ since, until }) };
}

function rejectsOf({ count, reason, since, until }: RejectedChange): JsonObject {
  return { count, reason, ...spanOf({ since, until }) };
}

interface Span {
  readonly since: number;
  readonly until: number;
}

const spanOf = ({ since, until }: Span): JsonObject => ({
  since: new Date(since).toISOString(),
  until: new Date(until).toISOString(),
});

export type DecodedBatch =
  | { readonly kind: 'ok'; readonly events: readonly DeviceEvent[] }
  | { readonly kind: 'refused'; readonly reason: string };

/**
 * The events that are about devices, without messages. Events of kinds this version does not know are left out, so that a newer
 * edge can speak to an older hub.
 */
export function decodeBatch(payload: Uint8Array): DecodedBatch {
  const list = asArray(parseJson(payload));
  if (list === undefined) return { kind: 'refused', reason: 'the payload is not a JSON array of CloudEvents' };
  const events: DeviceEvent[] = [];
  for (const [place, item] of list.entries()) {
    const kind = kindOf(asObject(item)?.['type']);
    if (kind === undefined || isOfNode(item, kind)) continue;
    const event = decodeEvent(asObject(item) ?? {}, kind);
    if (event === undefined) return { kind: 'refused', reason: `event ${place} of the batch lacks a required field` };
    events.push(event);
  }
  return { kind: 'ok', events };
}

/** A gap among the messages of a node, which is about no device. */
export interface NodeGap {
  readonly id: string;
  readonly node: string;
  readonly gap: Gap;
}

/** Messages may be large and many, and gaps are few: nothing is parsed where the batch does not name one. */
export function gapsOfNode(payload: Uint8Array): readonly NodeGap[] {
  if (!Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength).includes(EVENT_TYPES.gap)) return [];
  return (asArray(parseJson(payload)) ?? []).flatMap((item) => {
    const event = asObject(item) ?? {};
    const [id, source] = [asString(event['id']), asString(event['source'])];
    if (kindOf(event['type']) !== 'gap' || !isOfNode(item, 'gap')) return [];
    const gap = decodeGap(asObject(event['data'])?.['gap']);
    if (id === undefined || source === undefined || gap === undefined) return [];
    return [{ id, node: source.slice(SOURCE_PREFIX.length), gap }];
  });
}

function kindOf(type: unknown): EventKind | undefined {
  const kind = (Object.keys(EVENT_TYPES) as Change['kind'][]).find((one) => EVENT_TYPES[one] === type);
  return kind === 'message' ? undefined : kind;
}

/** A gap among messages. */
const isOfNode = (item: unknown, kind: EventKind): boolean =>
  kind === 'gap' && asObject(item)?.['subject'] === undefined;

function decodeEvent(event: JsonObject, kind: EventKind): DeviceEvent | undefined {
  const data = asObject(event['data']) ?? {};
  const id = asString(event['id']);
  const source = asString(event['source']);
  const subject = asString(event['subject']);
  const uid = asString(data['uid']);
  const version = decodeVersion(data['version']);
  const change = decodeChange(data, kind);
  if (id === undefined || source === undefined || subject === undefined || uid === undefined || version === undefined)
    return undefined;
  if (change === undefined) return undefined;
  return {
    id,
    kind,
    node: source.slice(SOURCE_PREFIX.length),
    device: parseDeviceKey(subject),
    uid,
    version,
    ...change,
    receivedAt: Date.parse(asString(data['receivedTime']) ?? ''),
    historical: data['historical'] === true,
  };
}

type DecodedChange = Pick<
  DeviceEvent,
  'property' | 'type' | 'value' | 'deviceTime' | 'gap' | 'override' | 'rejected' | 'seenAt' | 'cause'
>;

function decodeChange(data: JsonObject, kind: EventKind): DecodedChange | undefined {
  switch (kind) {
    case 'state':
      return decodeState(data);
    case 'gap':
      return saying(decodeGap(data['gap']), (gap) => ({ gap }));
    case 'rejected':
      return saying(decodeRejects(data['rejected']), (rejected) => ({ rejected }));
    case 'removed':
      return saying(asString(data['property']), (property) => ({ property }));
    case 'override':
      return saying(decodeOverrides(asObject(data['overrides']) ?? {}), (override) => ({ override }));
    case 'reported':
    case 'observed':
      return decodeValue(data);
  }
}

const NO_PROPERTY = { property: '', type: 'STRING', value: '' } as const;

function saying<T>(said: T | undefined, as: (said: T) => Partial<DecodedChange>): DecodedChange | undefined {
  return said === undefined ? undefined : { ...NO_PROPERTY, ...as(said) };
}

function decodeValue(data: JsonObject): DecodedChange | undefined {
  const property = asString(data['property']);
  const value = asString(data['value']);
  const type = propertyTypeNamed(asString(data['type']) ?? '');
  if (property === undefined || value === undefined || type === undefined) return undefined;
  const deviceTime = Date.parse(asString(data['deviceTime']) ?? '');
  return { property, type, value, ...(Number.isNaN(deviceTime) ? {} : { deviceTime }) };
}

function decodeState(data: JsonObject): DecodedChange | undefined {
  const state = asString(data['state']);
  const cause = asString(data['cause']);
  const seenAt = Date.parse(asString(data['lastSeenTime']) ?? '');
  if (state === undefined) return undefined;
  return {
    ...NO_PROPERTY,
    value: state,
    ...(Number.isNaN(seenAt) ? {} : { seenAt }),
    ...(cause === undefined ? {} : { cause }),
  };
}

function decodeGap(said: unknown): Gap | undefined {
  const raw = asObject(said) ?? {};
  const reason = asString(raw['reason']);
  const [changes, from, through] = [asInteger(raw['changes']), asInteger(raw['from']), asInteger(raw['through'])];
  const span = decodeSpan(raw);
  if (reason === undefined || changes === undefined || from === undefined || through === undefined) return undefined;
  return span === undefined ? undefined : { reason, changes, from, through, ...span };
}

function decodeRejects(said: unknown): Rejects | undefined {
  const raw = asObject(said) ?? {};
  const [count, reason, span] = [asInteger(raw['count']), asString(raw['reason']), decodeSpan(raw)];
  return count === undefined || reason === undefined || span === undefined ? undefined : { count, reason, ...span };
}

function decodeSpan(raw: JsonObject): Span | undefined {
  const [since, until] = [Date.parse(asString(raw['since']) ?? ''), Date.parse(asString(raw['until']) ?? '')];
  return Number.isNaN(since) || Number.isNaN(until) ? undefined : { since, until };
}

function decodeVersion(raw: unknown): Version | undefined {
  const object = asObject(raw) ?? {};
  const [binding, term, n] = [asInteger(object['binding']), asInteger(object['term']), asInteger(object['n'])];
  return binding === undefined || term === undefined || n === undefined ? undefined : { binding, term, n };
}
