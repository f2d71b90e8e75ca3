// Heartbeat → what the Node object in Kubernetes should say. Pure.
import type { Heartbeat } from '../../wire/node-reports.ts';
import { asArray, asObject, type JsonObject } from '../../wire/json.ts';

export const MANAGED_BY = 'app.kubernetes.io/managed-by';
export const MANAGER = 'skerry';
export const DESIRED_GENERATION = 'skerry.io/desired-generation';
export const APPLIED_GENERATION = 'skerry.io/applied-generation';

/** Node's names of processors → Go's, which Kubernetes uses. */
const ARCHITECTURES: Readonly<Record<string, string>> = { x64: 'amd64', ia32: '386', arm64: 'arm64', arm: 'arm' };
const OPERATING_SYSTEMS: Readonly<Record<string, string>> = { win32: 'windows' };

export type Presence = 'heard' | 'silent';

export function nodeLabels(heartbeat: Heartbeat): Readonly<Record<string, string>> {
  return {
    'node-role.kubernetes.io/edge': '',
    'node-role.kubernetes.io/agent': '',
    'kubernetes.io/os': osOf(heartbeat),
    'kubernetes.io/arch': architectureOf(heartbeat),
    'kubernetes.io/hostname': heartbeat.node,
    [MANAGED_BY]: MANAGER,
  };
}

/** So that `kubectl` shows which nodes lag behind what they should hold. */
export function lagAnnotations(applied: number, desired: number): Readonly<Record<string, string>> {
  return { [DESIRED_GENERATION]: String(desired), [APPLIED_GENERATION]: String(applied) };
}

export function nodeFacts(heartbeat: Heartbeat): JsonObject {
  const resources = { cpu: String(heartbeat.cpus), memory: `${Math.floor(heartbeat.memoryBytes / 1024)}Ki` };
  return {
    addresses: [{ type: 'Hostname', address: heartbeat.hostname === '' ? heartbeat.node : heartbeat.hostname }],
    capacity: resources,
    allocatable: resources,
    nodeInfo: {
      architecture: architectureOf(heartbeat),
      operatingSystem: osOf(heartbeat),
      kernelVersion: heartbeat.kernel,
      kubeletVersion: `v${heartbeat.version}-skerry`,
      kubeProxyVersion: '',
      containerRuntimeVersion: '',
      osImage: '',
      machineID: '',
      systemUUID: '',
      bootID: '',
    },
  };
}

/** The conditions with Ready as it is now; its transition time moves only when its status does. */
export function withReady(
  conditions: unknown,
  presence: Presence,
  moment: { readonly now: number; readonly reason: string },
): readonly JsonObject[] {
  const known = (asArray(conditions) ?? []).map((condition) => asObject(condition) ?? {});
  const before = known.find(({ type }) => type === 'Ready');
  const status = presence === 'heard' ? 'True' : 'Unknown';
  const now = new Date(moment.now).toISOString().replace(/\.\d+Z$/, 'Z');
  const ready = {
    type: 'Ready',
    status,
    reason: presence === 'heard' ? 'EdgeNodeReady' : 'NodeStatusUnknown',
    message: moment.reason,
    lastHeartbeatTime: presence === 'heard' ? now : (before?.['lastHeartbeatTime'] ?? now),
    lastTransitionTime: before?.['status'] === status ? before['lastTransitionTime'] : now,
  };
  return [...known.filter(({ type }) => type !== 'Ready'), ready];
}

const architectureOf = ({ architecture }: Heartbeat): string => ARCHITECTURES[architecture] ?? architecture;
const osOf = ({ os }: Heartbeat): string => OPERATING_SYSTEMS[os] ?? os;
