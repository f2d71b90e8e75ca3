// KubeEdge's payloads, field by field and in its order (reference: kubeedge-contract, section 1.5). Pure.
import type { Twin, TwinProperty } from '../../model/twin.ts';
import { deltaOf } from '../../model/desired-rules.ts';

interface MsgValue {
  readonly value: string;
  readonly metadata: { readonly timestamp: number };
}

/** A twin property as KubeEdge clients read it. */
export interface MsgTwin {
  readonly expected?: MsgValue;
  readonly actual?: MsgValue;
  readonly optional: true;
  readonly metadata: { readonly type: string };
}

interface Head {
  readonly eventId: string;
  readonly now: number;
}

export interface SuppliedParts {
  readonly property: string;
  readonly actual?: unknown;
  readonly expected?: unknown;
}

/** Answer to an update: only what it named, and of that only the parts it supplied. */
export function resultPayload(head: Head, after: Twin, supplied: readonly SuppliedParts[]): string {
  const twin: Record<string, MsgTwin> = {};
  for (const { property, actual, expected } of supplied) {
    const stored = after.properties[property];
    if (stored === undefined) continue;
    const { desired, reported, ...rest } = stored;
    twin[property] = msgTwin({
      ...rest,
      ...(expected === undefined || desired === undefined ? {} : { desired }),
      ...(actual === undefined || reported === undefined ? {} : { reported }),
    });
  }
  return envelope(head, { twin });
}

/** The whole twin. */
export function twinPayload(head: Head, twin: Twin): string {
  return envelope(head, { twin: msgTwins(twin) });
}

/** The named properties before and after a change. */
export function documentPayload(
  head: Head,
  before: Twin | undefined,
  after: Twin,
  properties: readonly string[],
): string {
  const twin: Record<string, { last: MsgTwin | null; current: MsgTwin | null }> = {};
  for (const property of properties) {
    twin[property] = {
      last: msgTwinOrNull(before?.properties[property]),
      current: msgTwinOrNull(after.properties[property]),
    };
  }
  return envelope(head, { twin });
}

/** Every property that has a desired value, and the ones that are not yet as desired; `undefined` when all are. */
export function deltaPayload(head: Head, twin: Twin): string | undefined {
  const delta = deltaOf(twin);
  if (Object.keys(delta).length === 0) return undefined;
  const wanted = Object.entries(twin.properties).filter(
    ([, { desired }]) => desired !== undefined && desired.value !== '',
  );
  return envelope(head, {
    twin: Object.fromEntries(wanted.map(([name, property]) => [name, msgTwin(property)])),
    delta,
  });
}

export function statePayload(head: Head, twin: Twin): string {
  const { state } = twin;
  const lastOnline = lastOnlineOf(twin);
  const lastOnlineTime = lastOnline === undefined ? {} : { lastOnlineTime: lastOnline };
  return envelope(head, {
    device: { name: twin.name, ...(state === undefined ? {} : { state: state.state }), ...lastOnlineTime },
  });
}

/** When a device that is up said so, in whole seconds. */
export function lastOnlineOf({ state }: Pick<Twin, 'state'>): string | undefined {
  const isUp = state !== undefined && ['online', 'ok'].includes(state.state.toLowerCase());
  return isUp ? `${new Date(state.at).toISOString().slice(0, 19)}Z` : undefined;
}

export function errorPayload(head: Head, error: { readonly code: number; readonly reason: string }): string {
  return envelope(head, { code: error.code, reason: error.reason });
}

function envelope(head: Head, body: object): string {
  return JSON.stringify({ event_id: head.eventId, timestamp: head.now, ...body });
}

const msgTwinOrNull = (property: TwinProperty | undefined): MsgTwin | null =>
  property === undefined ? null : msgTwin(property);

function msgTwins(twin: Twin): Record<string, MsgTwin> {
  return Object.fromEntries(Object.entries(twin.properties).map(([name, property]) => [name, msgTwin(property)]));
}

function msgTwin({ desired, reported, type }: TwinProperty): MsgTwin {
  return {
    ...(desired === undefined ? {} : { expected: { value: desired.value, metadata: { timestamp: desired.at } } }),
    ...(reported === undefined ? {} : { actual: { value: reported.value, metadata: { timestamp: reported.at } } }),
    optional: true,
    metadata: { type: type.toLowerCase() },
  };
}
