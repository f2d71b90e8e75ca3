import { isAbort } from '../../kit/errors.ts';
import { sleep } from '../../kit/sleep.ts';
import { ms } from '../../kit/units.ts';
import { deviceKey, type DeviceId } from '../../model/device.ts';
import { isThere, type Twin } from '../../model/twin.ts';
import { asArray, asObject, asString, parseJson } from '../../wire/json.ts';
import type { HistoryEntry, HistoryKind } from '../../model/twin-history.ts';
import { cliErrors, unknownProperty } from '../errors.ts';
import type { SetOutcome, ShownTwin, TwinSource } from './twin-source.ts';

const LOOK_EVERY = ms(250);

/** As an edge node answers. */
export type PastValue = Omit<HistoryEntry, 'kind' | 'property'>;

export interface PastTwin {
  readonly device: string;
  readonly at: number;
  readonly state?: PastValue;
  readonly properties: Readonly<Record<string, { readonly reported?: PastValue; readonly desired?: PastValue }>>;
  readonly unknown: readonly { readonly kind: HistoryKind; readonly property: string; readonly since: number }[];
}

export interface HistoryQuestion {
  readonly property?: string;
  readonly since?: number;
  readonly limit: number;
}

export interface HistoryAnswer {
  readonly kept: number;
  readonly isCut: boolean;
  readonly entries: readonly HistoryEntry[];
}

export class EdgeTwins implements TwinSource {
  readonly #url: string;

  constructor(url: string) {
    if (!/^https?:\/\/[^/\s]+\/?$/.test(url))
      throw cliErrors.OPTION_INVALID({ option: '--edge', value: url, expected: 'http://HOST:PORT' });
    this.#url = url.replace(/\/$/, '');
  }

  close(): void {
    return undefined;
  }

  async get(device: DeviceId): Promise<ShownTwin> {
    return shownTwin((await this.#ask(device, '', {})) as unknown as Twin);
  }

  async watch(device: DeviceId, onTwin: (twin: ShownTwin) => void, signal: AbortSignal): Promise<void> {
    let shown = '';
    do {
      const twin = await this.get(device);
      const text = JSON.stringify(twin);
      if (text !== shown) onTwin(twin);
      shown = text;
    } while ((await sleep(LOOK_EVERY, signal)) === 'elapsed');
  }

  async setDesired(device: DeviceId, property: string, value: string): Promise<SetOutcome> {
    await this.#ask(device, `/${encodeURIComponent(property)}`, { method: 'PUT', body: value });
    return {};
  }

  /** The whole twin as it was, as far as history reaches. */
  async at(device: DeviceId, moment: number): Promise<PastTwin> {
    const at = encodeURIComponent(new Date(moment).toISOString());
    return (await this.#ask(device, `?at=${at}`, {})) as unknown as PastTwin;
  }

  async history(device: DeviceId, { property, since, limit }: HistoryQuestion): Promise<HistoryAnswer> {
    const from = since === undefined ? '' : `&since=${encodeURIComponent(new Date(since).toISOString())}`;
    const rest = `${property === undefined ? '' : `/${encodeURIComponent(property)}`}?limit=${limit}${from}`;
    return (await this.#ask(device, rest, {}, 'history')) as unknown as HistoryAnswer;
  }

  /** Ends what was set at the node; what is desired then is the cloud's. */
  async reset(device: DeviceId, property: string): Promise<{ readonly desired?: string }> {
    const twin = await this.#ask(device, `/${encodeURIComponent(property)}`, { method: 'DELETE' });
    const desired = (twin as unknown as Twin).properties[property]?.desired;
    return desired === undefined ? {} : { desired: desired.value };
  }

  async #ask(
    { namespace, name }: DeviceId,
    rest: string,
    init: RequestInit,
    what: 'twins' | 'history' = 'twins',
  ): Promise<Readonly<Record<string, unknown>>> {
    const url = `${this.#url}/${what}/${encodeURIComponent(namespace)}/${encodeURIComponent(name)}${rest}`;
    const { status, text } = await answerOf(url, init).catch((error: unknown) => {
      if (isAbort(error)) throw error;
      throw cliErrors.EDGE_UNREACHABLE({ url: this.#url }, error);
    });
    const body = asObject(parseJson(text)) ?? {};
    if (status < 300) return body;
    const [property, known] = [asString(body['property']), asArray(body['known'])];
    if (property !== undefined && known !== undefined)
      throw unknownProperty(deviceKey({ namespace, name }), property, known.map(String));
    if (status === 404) throw cliErrors.DEVICE_NOT_FOUND({ device: deviceKey({ namespace, name }), where: this.#url });
    throw cliErrors.EDGE_REFUSED({ reason: asString(body['reason']) ?? `the edge node answered ${status}` });
  }
}

async function answerOf(url: string, init: RequestInit): Promise<{ readonly status: number; readonly text: string }> {
  const response = await fetch(url, init);
  return { status: response.status, text: await response.text() };
}

function shownTwin(twin: Twin): ShownTwin {
  const shown = Object.entries(twin.properties).filter(
    ([, property]) => isThere(property) || property.floor === undefined,
  );
  const properties = shown.map(([property, { desired, reported }]) => ({
    property,
    ...(desired === undefined ? {} : { desired: desired.value }),
    ...(desired?.origin === 'local' ? { override: desired.value } : {}),
    ...(reported === undefined ? {} : { reported: reported.value, at: reported.at }),
  }));
  return { device: deviceKey(twin), ...(twin.state === undefined ? {} : { state: twin.state.state }), properties };
}
