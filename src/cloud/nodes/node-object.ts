// Heartbeat → what the Node object in Kubernetes should say. Pure.
import type { Heartbeat, NodeProblem } from '../../wire/node-reports.ts';
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
  const { known, before } = apart(conditions, 'Ready');
  const now = kubeTime(moment.now);
  const ready = {
    type: 'Ready',
    status: presence === 'heard' ? 'True' : 'Unknown',
    reason: presence === 'heard' ? 'EdgeNodeReady' : 'NodeStatusUnknown',
    message: moment.reason,
    lastHeartbeatTime: presence === 'heard' ? now : (before?.['lastHeartbeatTime'] ?? now),
  };
  return [...known, withTransition(ready, before, now)];
}

/**
 * The conditions with `UplinkProblem`: who speaks under the node's name, or one of those who do, cannot publish. Ready does not
 * tell it, because the node serves its devices. A node that never had one has no such condition.
 */
export function withProblem(
  conditions: readonly JsonObject[],
  problem: NodeProblem | undefined,
  moment: { readonly now: number },
): readonly JsonObject[] {
  const { known, before } = apart(conditions, 'UplinkProblem');
  if (problem === undefined && before === undefined) return conditions;
  const now = kubeTime(moment.now);
  const condition = {
    type: 'UplinkProblem',
    status: problem === undefined ? 'False' : 'True',
    reason: problem === undefined ? 'UplinkOpen' : reasonOf(problem),
    message: problem?.message ?? 'every instance that is heard publishes',
    lastHeartbeatTime: now,
  };
  return [...known, withTransition(condition, before, now)];
}

/** `STORE_DIVERGED` → `StoreDiverged`. */
export const reasonOf = ({ code }: NodeProblem): string =>
  code
    .split('_')
    .map((word) => `${word.slice(0, 1)}${word.slice(1).toLowerCase()}`)
    .join('');

function apart(
  conditions: unknown,
  type: string,
): { readonly known: readonly JsonObject[]; readonly before: JsonObject | undefined } {
  const all = (asArray(conditions) ?? []).map((condition) => asObject(condition) ?? {});
  return { known: all.filter((one) => one['type'] !== type), before: all.find((one) => one['type'] === type) };
}

function withTransition(condition: JsonObject, before: JsonObject | undefined, now: string): JsonObject {
  const isSame = before !== undefined && before['status'] === condition['status'];
  return { ...condition, lastTransitionTime: isSame ? before['lastTransitionTime'] : now };
}

const kubeTime = (moment: number): string => new Date(moment).toISOString().replace(/\.\d+Z$/, 'Z');

const architectureOf = ({ architecture }: Heartbeat): string => ARCHITECTURES[architecture] ?? architecture;
const osOf = ({ os }: Heartbeat): string => OPERATING_SYSTEMS[os] ?? os;
