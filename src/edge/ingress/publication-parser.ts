// Payloads of KubeEdge's device topics → what they ask, or the sentence that says what is wrong. Pure. Field names are matched
// in any case and unknown fields are ignored, as in KubeEdge; values may be strings and any other JSON but null.
import { KUBEEDGE_REASONS, saidAsKubeEdge } from '../../model/kubeedge-reasons.ts';
import type { PropertyUpdate } from '../../model/property-update.ts';
import { DEVICE_STATES } from '../../model/state-rules.ts';
import { asObject, asString, parseJson, type JsonObject } from '../../wire/json.ts';

export interface Parsed<T> {
  readonly kind: 'ok';
  readonly eventId: string;
  readonly value: T;
}
export interface Unparsable {
  readonly kind: 'refused';
  readonly eventId: string;
  readonly reason: string;
}

const PROPERTY_NAME = /^[a-zA-Z0-9\-_.,:/@#]{1,128}$/;

export function parseTwinUpdate(payload: Uint8Array): Parsed<readonly PropertyUpdate[]> | Unparsable {
  const request = parseRequest(payload);
  if (request.kind === 'refused') return { ...request, reason: unreadable(request.reason) };
  const { eventId } = request;
  const twin = field(request.value, 'twin');
  if (twin === undefined)
    return refused(eventId, saidAsKubeEdge(KUBEEDGE_REASONS.withoutTwin, 'the field "twin" is missing'));
  const properties = asObject(twin);
  if (properties === undefined) return refused(eventId, unreadable('the field "twin" is not an object of properties'));
  const updates: PropertyUpdate[] = [];
  for (const [property, raw] of Object.entries(properties)) {
    const update = parseProperty(property, raw, field(request.value, 'timestamp'));
    if (typeof update === 'string') return refused(eventId, update);
    updates.push(update);
  }
  return { kind: 'ok', eventId, value: updates };
}

const unreadable = (reason: string): string => saidAsKubeEdge(KUBEEDGE_REASONS.unreadable, reason);

/** Any JSON object will do for requests that carry nothing but an `event_id`. */
export function parseRequest(payload: Uint8Array): Parsed<JsonObject> | Unparsable {
  const raw = payload.length === 0 ? {} : parseJson(payload);
  const body = asObject(raw);
  if (body === undefined) return refused('', 'the payload is not a JSON object');
  return { kind: 'ok', eventId: eventIdOf(field(body, 'event_id')), value: body };
}

/** A number is taken for its digits: who sends one looks for it in the answer. */
const eventIdOf = (id: unknown): string => (typeof id === 'number' ? String(id) : (asString(id) ?? ''));

const isState = (text: string): boolean => (DEVICE_STATES as readonly string[]).includes(text.toLowerCase());

export function parseStateUpdate(payload: Uint8Array): Parsed<string> | Unparsable {
  const request = parseRequest(payload);
  if (request.kind === 'refused') return request;
  const state = asString(field(request.value, 'state'));
  if (state === undefined || !isState(state)) {
    return refused(request.eventId, `the field "state" must be one of ${DEVICE_STATES.join(', ')}`);
  }
  return { kind: 'ok', eventId: request.eventId, value: state };
}

/** What is wrong with a property's name, as a sentence. */
export function nameProblem(property: string): string | undefined {
  if (!PROPERTY_NAME.test(property)) {
    return saidAsKubeEdge(
      KUBEEDGE_REASONS.badName,
      `the property name ${JSON.stringify(property.slice(0, 128))} must be 1 to 128 letters, digits or one of - _ . , : / @ #`,
    );
  }
  // Names every JavaScript object has already: they would be taken for values that nobody set.
  return property in Object.prototype ? `the property name "${property}" is reserved; choose another` : undefined;
}

function parseProperty(property: string, raw: unknown, requestTime: unknown): PropertyUpdate | string {
  const problem = nameProblem(property);
  if (problem !== undefined) return problem;
  if (raw === null) return { property, isRemoval: true };
  const body = asObject(raw);
  if (body === undefined)
    return unreadable(`property "${property}" must be an object with "actual" or "expected", or null`);
  const actual = parseValue(body, 'actual', requestTime);
  const expected = parseValue(body, 'expected', undefined);
  const said = parseSaidBeside(body);
  if (actual === 'missing') return `property "${property}": "actual" must be an object with a "value"`;
  if (expected === 'missing') return `property "${property}": "expected" must be an object with a "value"`;
  if (typeof said === 'string') return unreadable(`property "${property}": ${said}`);
  return {
    property,
    ...(actual === undefined ? {} : { actual }),
    ...(expected === undefined ? {} : { expected }),
    ...said,
  };
}

/** What stands beside the values. */
function parseSaidBeside(body: JsonObject): Pick<PropertyUpdate, 'typeName' | 'optional'> | string {
  const metadata = field(body, 'metadata');
  const typeName = field(asObject(metadata), 'type');
  const optional = field(body, 'optional');
  if (metadata !== undefined && asObject(metadata) === undefined) return '"metadata" must be an object with a "type"';
  if (typeName !== undefined && typeof typeName !== 'string') return 'the "type" in "metadata" must be a string';
  if (optional !== undefined && typeof optional !== 'boolean') return '"optional" must be true or false';
  return { ...(typeName === undefined ? {} : { typeName }), ...(optional === undefined ? {} : { optional }) };
}

interface RawValue {
  readonly raw: unknown;
  readonly deviceTime?: number;
}

function parseValue(
  body: JsonObject,
  name: 'actual' | 'expected',
  requestTime: unknown,
): RawValue | 'missing' | undefined {
  const raw = field(body, name);
  if (raw === undefined) return undefined;
  const holder = asObject(raw);
  const value = field(holder, 'value');
  if (value === undefined) return 'missing';
  const deviceTime = positive(field(asObject(field(holder, 'metadata')), 'timestamp')) ?? positive(requestTime);
  return { raw: value, ...(deviceTime === undefined ? {} : { deviceTime }) };
}

/** The device's own time: milliseconds since the epoch; 0 is what clients without a clock send. */
function positive(value: unknown): number | undefined {
  const number = typeof value === 'string' && value !== '' ? Number(value) : value;
  return typeof number === 'number' && Number.isSafeInteger(number) && number > 0 && number < LAST_DATE
    ? number
    : undefined;
}

/** The last moment a JavaScript date can name. */
const LAST_DATE = 8.64e15;

/** `null` is absent, as in KubeEdge. */
function field(object: JsonObject | undefined, name: string): unknown {
  if (object === undefined) return undefined;
  const spelled = name in object ? name : Object.keys(object).find((key) => key.toLowerCase() === name);
  return spelled === undefined ? undefined : (object[spelled] ?? undefined);
}

const refused = (eventId: string, reason: string): Unparsable => ({ kind: 'refused', eventId, reason });
