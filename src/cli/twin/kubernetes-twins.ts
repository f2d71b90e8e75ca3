import { KubeClient, MERGE_PATCH } from '../../cloud/kubernetes/kube-client.ts';
import type {
  DeviceModelResource,
  DeviceProperty,
  DeviceResource,
  DeviceSpec,
  DeviceStatus,
  TwinValue,
} from '../../cloud/kubernetes/resources.ts';
import { seconds } from '../../kit/units.ts';
import { deviceKey, type DeviceId } from '../../model/device.ts';
import { asObject, type JsonObject } from '../../wire/json.ts';
import { cliErrors, unknownProperty } from '../errors.ts';
import type { SetOutcome, ShownProperty, ShownTwin, TwinSource } from './twin-source.ts';

const ATTEMPTS = 5;

/** What the spec wanted, if anything, and wants now. */
export interface Accepted {
  readonly property: string;
  readonly from?: string;
  readonly to: string;
}

export class KubernetesTwins implements TwinSource {
  readonly #client: KubeClient;

  constructor(kubeconfig: string) {
    this.#client = KubeClient.fromFile(kubeconfig);
  }

  close(): void {
    this.#client.close();
  }

  async get(device: DeviceId): Promise<ShownTwin> {
    return shownTwin(await this.#read(device));
  }

  async watch(device: DeviceId, onTwin: (twin: ShownTwin) => void, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const resource = await this.#read(device);
      onTwin(shownTwin(resource));
      const field = encodeURIComponent(`metadata.name=${device.name}`);
      const path = `${collection(device)}?watch=true&fieldSelector=${field}&resourceVersion=${resource.metadata.resourceVersion}`;
      const onObject = (event: JsonObject): void => {
        if (event['type'] === 'MODIFIED' || event['type'] === 'ADDED')
          onTwin(shownTwin(asObject(event['object']) as unknown as DeviceResource));
      };
      await this.#client.watch(path, { onObject, silence: seconds(600) }, signal);
    }
  }

  async setDesired(device: DeviceId, property: string, value: string): Promise<SetOutcome> {
    const { spec, status } = await this.#change(device, (resource) =>
      this.#withDesired(device, resource.spec, { property, value }),
    );
    const override = overridesIn(status).get(property);
    const isRepeated = (spec.properties ?? []).find(({ name }) => name === property)?.desired?.value === value;
    return override === undefined ? {} : { override, isRepeated };
  }

  /** Takes what stands at the node into the spec: of one property, or of all. Throws OVERRIDE_NOT_FOUND. */
  async accept(device: DeviceId, property?: string): Promise<readonly Accepted[]> {
    const { spec, status } = await this.#change(device, async (resource) => {
      let properties = resource.spec.properties ?? [];
      for (const [name, value] of acceptable(device, resource.status, property))
        properties = await this.#withDesired(device, { ...resource.spec, properties }, { property: name, value });
      return properties;
    });
    const wanted = new Map((spec.properties ?? []).map(({ name, desired }) => [name, desired?.value]));
    return acceptable(device, status, property).map(([name, to]) => {
      const from = wanted.get(name);
      return { property: name, ...(from === undefined ? {} : { from }), to };
    });
  }

  /**
   * The property list is written back whole, as merge patches replace lists; a change in between is noticed and read again. Gives
   * the Device as it was before.
   */
  async #change(
    device: DeviceId,
    change: (resource: DeviceResource) => Promise<readonly DeviceProperty[]>,
  ): Promise<DeviceResource> {
    for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
      const resource = await this.#read(device);
      const { resourceVersion } = resource.metadata;
      const body = { metadata: { resourceVersion }, spec: { properties: await change(resource) } };
      const path = pathOf(device);
      const answer = await this.#client.request({ method: 'PATCH', path, body, contentType: MERGE_PATCH });
      if (answer.status < 300) return resource;
      if (answer.status === 404) throw this.#notFound(device);
    }
    throw cliErrors.EDGE_REFUSED({
      reason: `the device ${deviceKey(device)} keeps changing while it is written; try again`,
    });
  }

  /** A property that only the DeviceModel names joins the Device's own list. */
  async #withDesired(
    device: DeviceId,
    spec: DeviceSpec,
    { property, value }: { readonly property: string; readonly value: string },
  ): Promise<readonly DeviceProperty[]> {
    const listed = spec.properties ?? [];
    if (listed.some(({ name }) => name === property)) {
      return listed.map((each) => (each.name === property ? { ...each, desired: { ...each.desired, value } } : each));
    }
    const modelled = await this.#modelProperties(device, spec.deviceModelRef?.name ?? '');
    if (modelled.includes(property)) return [...listed, { name: property, desired: { value } }];
    throw unknownProperty(deviceKey(device), property, [...new Set([...listed.map(({ name }) => name), ...modelled])]);
  }

  async #modelProperties({ namespace }: DeviceId, model: string): Promise<readonly string[]> {
    const path = `${collection({ namespace, name: '' }).replace(/devices$/, 'devicemodels')}/${encodeURIComponent(model)}`;
    const answer = await this.#client.request({ method: 'GET', path });
    const { spec } = answer.body as unknown as Partial<DeviceModelResource>;
    return (spec?.properties ?? []).map(({ name }) => name);
  }

  async #read(device: DeviceId): Promise<DeviceResource> {
    const answer = await this.#client.request({ method: 'GET', path: pathOf(device) });
    if (answer.status !== 200) throw this.#notFound(device);
    return answer.body as unknown as DeviceResource;
  }

  #notFound(device: DeviceId): Error {
    return cliErrors.DEVICE_NOT_FOUND({ device: deviceKey(device), where: this.#client.server });
  }
}

const collection = ({ namespace }: DeviceId): string =>
  `/apis/devices.kubeedge.io/v1beta1/namespaces/${encodeURIComponent(namespace)}/devices`;
const pathOf = (device: DeviceId): string => `${collection(device)}/${encodeURIComponent(device.name)}`;

const overridesIn = (status: DeviceStatus | undefined): ReadonlyMap<string, string> =>
  new Map((status?.overrides?.properties ?? []).map(({ propertyName, value }) => [propertyName, value]));

function acceptable(
  device: DeviceId,
  status: DeviceStatus | undefined,
  property: string | undefined,
): readonly (readonly [string, string])[] {
  const found = [...overridesIn(status)].filter(([name]) => property === undefined || name === property);
  if (found.length === 0) throw cliErrors.OVERRIDE_NOT_FOUND({ device: deviceKey(device), property });
  return found;
}

function shownTwin(resource: DeviceResource): ShownTwin {
  const { metadata, spec, status } = resource;
  const declared = (spec.properties ?? []).map(({ name }) => name);
  const reported = (status?.twins ?? []).map(({ propertyName }) => propertyName);
  const overridden = [...overridesIn(status).keys()];
  const properties = [...new Set([...declared, ...reported, ...overridden])].map((property) =>
    shownProperty(resource, property),
  );
  const device = `${metadata.namespace ?? 'default'}/${metadata.name}`;
  return { device, ...(status?.state === undefined ? {} : { state: status.state }), properties };
}

function shownProperty({ spec, status }: DeviceResource, property: string): ShownProperty {
  const override = overridesIn(status).get(property);
  const desired = (spec.properties ?? []).find(({ name }) => name === property)?.desired;
  const reported = (status?.twins ?? []).find(({ propertyName }) => propertyName === property)?.reported;
  return {
    property,
    ...(desired === undefined ? {} : { desired: desired.value }),
    ...(override === undefined ? {} : { override }),
    ...(reported === undefined ? {} : shownReport(reported)),
  };
}

function shownReport({ value, metadata }: TwinValue): Pick<ShownProperty, 'reported' | 'at'> {
  const at = Number(metadata?.['timestamp'] ?? Number.NaN);
  return { reported: value, ...(Number.isNaN(at) ? {} : { at }) };
}
