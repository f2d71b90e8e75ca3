import type { Logger } from '../../kit/logger.ts';
import type { KubeClient } from './kube-client.ts';
import { ResourceWatch } from './resource-watch.ts';
import { DEVICE_MODELS_PATH, DEVICES_PATH, type DeviceModelResource, type DeviceResource } from './resources.ts';

const apiVersion = 'devices.kubeedge.io/v1beta1';

export type DeviceWatch = ResourceWatch<DeviceResource>;
export type DeviceModelWatch = ResourceWatch<DeviceModelResource>;

interface Tools {
  readonly client: KubeClient;
  readonly logger: Logger;
}

export function createDeviceWatch(tools: Tools): DeviceWatch {
  return new ResourceWatch({ path: DEVICES_PATH, apiVersion, kind: 'Device' }, tools);
}

export function createDeviceModelWatch(tools: Tools): DeviceModelWatch {
  return new ResourceWatch({ path: DEVICE_MODELS_PATH, apiVersion, kind: 'DeviceModel' }, tools);
}
