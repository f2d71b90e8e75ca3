import { isObject, listOf, objectOf, textOf, valueAt, type Json, type JsonObject, type KubeObject } from '../json.ts';
import { ageOf } from './age.ts';
import { column, type Column } from './column.ts';

const NONE = '<none>';
const wide = { priority: 1 };

export function podColumns(name: Column, age: Column): readonly Column[] {
  return [
    name,
    column('Ready', readyCount),
    column('Status', podStatus),
    column('Restarts', restarts),
    age,
    column('IP', (pod) => textOf(valueAt(pod, ['status', 'podIP'])) || NONE, wide),
    column('Node', (pod) => textOf(valueAt(pod, ['spec', 'nodeName'])) || NONE, wide),
    column('Nominated Node', (pod) => textOf(valueAt(pod, ['status', 'nominatedNodeName'])) || NONE, wide),
    column('Readiness Gates', () => NONE, wide),
  ];
}

const containers = (pod: KubeObject): readonly Json[] => listOf(valueAt(pod, ['spec', 'containers']));

function statuses(pod: KubeObject, list: 'containerStatuses' | 'initContainerStatuses'): readonly JsonObject[] {
  return listOf(valueAt(pod, ['status', list])).filter(isObject);
}

function readyCount(pod: KubeObject): string {
  const ready = statuses(pod, 'containerStatuses').filter((each) => each['ready'] === true);
  return `${ready.length}/${containers(pod).length}`;
}

/** The word that explains a pod best: why it waits or ended, or else its phase. */
function podStatus(pod: KubeObject): string {
  if (pod.metadata.deletionTimestamp !== undefined) return 'Terminating';
  const status = objectOf(pod['status']);
  return initReason(pod) ?? containerReason(pod) ?? (textOf(status['reason']) || textOf(status['phase']) || 'Unknown');
}

function initReason(pod: KubeObject): string | undefined {
  const inits = statuses(pod, 'initContainerStatuses');
  const index = inits.findIndex(
    (each) => valueAt(each, ['state', 'terminated', 'exitCode']) !== 0 && each['started'] !== true,
  );
  const unfinished = inits[index];
  if (unfinished === undefined) return undefined;
  const reason = stateReason(unfinished);
  return reason === undefined || reason === 'PodInitializing' ? `Init:${index}/${inits.length}` : `Init:${reason}`;
}

function containerReason(pod: KubeObject): string | undefined {
  const reasons = statuses(pod, 'containerStatuses').map(stateReason);
  return reasons.find((reason) => reason !== undefined && reason !== 'Completed') ?? completed(pod, reasons);
}

function completed(pod: KubeObject, reasons: readonly (string | undefined)[]): string | undefined {
  const isRunning = statuses(pod, 'containerStatuses').some(
    (each) => valueAt(each, ['state', 'running']) !== undefined,
  );
  return isRunning ? undefined : reasons.find((reason) => reason !== undefined);
}

function stateReason(status: JsonObject): string | undefined {
  const waiting = textOf(valueAt(status, ['state', 'waiting', 'reason']));
  if (waiting !== '') return waiting;
  const terminated = valueAt(status, ['state', 'terminated']);
  if (!isObject(terminated)) return undefined;
  return textOf(terminated['reason']) || `ExitCode:${Number(terminated['exitCode'] ?? 0)}`;
}

function restarts(pod: KubeObject, now: number): string {
  const all = statuses(pod, 'containerStatuses');
  const count = all.reduce((sum, each) => sum + Number(each['restartCount'] ?? 0), 0);
  const ends = all
    .map((each) => textOf(valueAt(each, ['lastState', 'terminated', 'finishedAt'])))
    .filter((end) => end !== '');
  const last = ends.sort().at(-1);
  return count === 0 || last === undefined ? String(count) : `${count} (${ageOf(last, now)} ago)`;
}
