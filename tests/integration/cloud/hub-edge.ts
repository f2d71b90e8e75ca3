import type { NodeIdentity } from '../../../src/wire/node-identity.ts';
// What a test does in the place of an edge node: its link, what the hub put there for it, what it reports, its heartbeat.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fingerprintOf } from '../../../src/kit/fingerprint.ts';
import type { DeviceDefinition } from '../../../src/model/device.ts';
import type { Change, Fact } from '../../../src/model/fact.ts';
import { receiptOf, readLast } from '../../../src/nats/direct-get.ts';
import type { NatsLink } from '../../../src/nats/nats-link.ts';
import { decodeDefinition, decodeIndex, type DesiredIndex } from '../../../src/wire/desired.ts';
import { encodeBatch, encodeFact } from '../../../src/wire/device-events.ts';
import {
  bucketSubject,
  chainSubject,
  DESIRED_BUCKET,
  DESIRED_STREAM,
  desiredKey,
  inboxPrefix,
  indexKey,
} from '../../../src/wire/nats-subjects.ts';
import type { Heartbeat } from '../../../src/wire/node-reports.ts';
import type { HubWorld } from './running-hub.ts';

export const COUNTER = { namespace: 'default', name: 'counter' };

export async function edgeLink(world: HubWorld, node = 'edge-a'): Promise<NatsLink> {
  const text = await readFile(join(world.dir, 'hub', 'nodes', `${node}.json`), 'utf8');
  return await world.linkAs((JSON.parse(text) as NodeIdentity).nats, inboxPrefix(node));
}

export async function indexOf(link: NatsLink, node = 'edge-a'): Promise<DesiredIndex | undefined> {
  const entry = await readLast(link, DESIRED_STREAM, bucketSubject(DESIRED_BUCKET, indexKey(node)));
  return entry === undefined ? undefined : decodeIndex(entry.data);
}

interface HeldDefinition {
  readonly fingerprint: string;
  readonly definition: DeviceDefinition | undefined;
  readonly operation: string | undefined;
}

export async function definitionOf(link: NatsLink, node = 'edge-a'): Promise<HeldDefinition | undefined> {
  const key = desiredKey(node, 'device', COUNTER);
  const entry = await readLast(link, DESIRED_STREAM, bucketSubject(DESIRED_BUCKET, key));
  return entry === undefined
    ? undefined
    : {
        fingerprint: fingerprintOf(entry.data),
        definition: decodeDefinition(entry.data),
        operation: entry.operation,
      };
}

export const desiredOf = (definition: DeviceDefinition | undefined): string | undefined =>
  definition?.properties.find(({ name }) => name === 'status')?.desired;

export async function report(link: NatsLink, uid: string, n: number, changes?: readonly Change[]): Promise<void> {
  const value = String(n * 10);
  const fact: Fact = {
    device: COUNTER,
    uid,
    binding: 1,
    at: Date.parse('2026-05-01T00:00:00Z') + n * 1000,
    changes: changes ?? [{ kind: 'reported', property: 'count', type: 'INT', value, n }],
  };
  // Its time is long past.
  const stamp = { node: 'edge-a', id: `inc.${n}`, term: 1, historical: true };
  const receipt = receiptOf(
    await link.request(chainSubject('edge-a', 'twin', COUNTER), encodeBatch([encodeFact(fact, stamp)])),
  );
  assert.equal(receipt.kind, 'stored');
}

export async function countOf(world: HubWorld): Promise<string | undefined> {
  const device = await world.device('counter');
  return device?.status?.twins?.find(({ propertyName }) => propertyName === 'count')?.reported?.value;
}

export interface NodeBody {
  readonly metadata: { readonly labels: Record<string, string>; readonly annotations: Record<string, string> };
  readonly status?: { readonly conditions?: readonly { readonly type: string; readonly status: string }[] };
}

export function heartbeatOf(indexGeneration: number): Heartbeat {
  return {
    node: 'edge-a',
    incarnation: 'i1',
    version: '0.1.0',
    os: 'linux',
    architecture: 'x64',
    kernel: '6.1.0',
    hostname: 'gateway',
    cpus: 2,
    memoryBytes: 4 * 1024 ** 3,
    indexGeneration,
    backlog: 0,
  };
}
