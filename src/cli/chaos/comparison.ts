// After a run: what the stream holds and what Kubernetes shows, against what was acknowledged.
import { KubeClient } from '../../cloud/kubernetes/kube-client.ts';
import { Deadline } from '../../kit/deadline.ts';
import { SkerryError } from '../../kit/errors.ts';
import type { Logger } from '../../kit/logger.ts';
import { sleep } from '../../kit/sleep.ts';
import { ms, seconds } from '../../kit/units.ts';
import { NatsLink } from '../../nats/nats-link.ts';
import { readStream } from '../../nats/stream-reader.ts';
import { decodeBatch } from '../../wire/device-events.ts';
import { UP_STREAM } from '../../wire/nats-subjects.ts';
import { NUMBER_PROPERTY } from '../../../simulator/numbers/numbered-publisher.ts';
import { cliErrors } from '../errors.ts';
import { DeviceTally, type Findings, type Published } from './device-tally.ts';
import { fullAccess } from '../../cloud/full-access.ts';
import { shownNumbers } from './site-devices.ts';

const LINK_WITHIN = seconds(15);
const ATTEMPTS = 3;
const RETRY = ms(500);
const SHOWN_WITHIN = seconds(30);

export type Tallies = ReadonlyMap<string, DeviceTally>;

/** What the stream holds of each device. Rejects with NATS_UNAVAILABLE. */
export async function tallyStream(
  { natsUrl, hubDir }: { readonly natsUrl: string; readonly hubDir: string },
  published: ReadonlyMap<string, Published>,
  { logger, signal }: { readonly logger: Logger; readonly signal: AbortSignal },
): Promise<Tallies> {
  const access = await fullAccess(hubDir, natsUrl);
  const link = new NatsLink(
    { credentials: () => access, clientName: 'skerry-chaos', inboxPrefix: '_INBOX__chaos' },
    { logger },
  );
  await link.start(signal);
  try {
    for (const deadline = Deadline.after(LINK_WITHIN); !link.connected && deadline.remaining() > 0;)
      await sleep(RETRY, signal);
    return await readTallies(link, published);
  } finally {
    await link.stop(Deadline.after(seconds(1)));
  }
}

async function readTallies(link: NatsLink, published: ReadonlyMap<string, Published>): Promise<Tallies> {
  for (let attempt = 1; ; attempt += 1) {
    const tallies = new Map([...published.keys()].map((device) => [device, new DeviceTally()]));
    try {
      await readStream(link, UP_STREAM, ({ data, sequence }) => see(data, sequence, { tallies, published }));
      return tallies;
    } catch (error) {
      if (!(error instanceof SkerryError) || error.kind !== 'unavailable' || attempt === ATTEMPTS) throw error;
    }
  }
}

function see(
  data: Uint8Array,
  sequence: number,
  { tallies, published }: { readonly tallies: Tallies; readonly published: ReadonlyMap<string, Published> },
): void {
  const batch = decodeBatch(data);
  if (batch.kind === 'refused') throw cliErrors.CHAOS_MESSAGE_UNREADABLE({ sequence, reason: batch.reason });
  for (const { id, device, property, value, gap } of batch.events) {
    const known = published.get(device.name);
    const tally = tallies.get(device.name);
    if (gap !== undefined) tally?.seeGap(id, gap.changes);
    else if (property === NUMBER_PROPERTY && known !== undefined) tally?.see(Number(value), known);
  }
}

export function findingsOf(tallies: Tallies, published: ReadonlyMap<string, Published>): ReadonlyMap<string, Findings> {
  return new Map(
    [...published].map(([device, known]) => [device, (tallies.get(device) ?? new DeviceTally()).findings(known)]),
  );
}

/** Sentences about the devices whose status does not come to show the newest number in the stream. */
export async function staleDevices(
  kubeconfig: string,
  tallies: Tallies,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const deadline = Deadline.after(SHOWN_WITHIN);
  for (;;) {
    const shown = await shownAt(kubeconfig, signal);
    const stale = [...tallies].filter(([device, { newestStored }]) => shown?.get(device) !== newestStored);
    if (stale.length === 0) return [];
    if (deadline.remaining() === 0 || signal.aborted)
      return stale.map(
        ([device, { newestStored }]) =>
          `${device}: its status shows ${shown?.get(device) ?? 'nothing'}, the stream has ${newestStored}`,
      );
    await sleep(RETRY, signal);
  }
}

async function shownAt(kubeconfig: string, signal: AbortSignal): Promise<ReadonlyMap<string, number> | undefined> {
  const client = KubeClient.fromFile(kubeconfig);
  try {
    return await shownNumbers(client, signal);
  } catch (error) {
    if (error instanceof SkerryError && error.kind === 'unavailable') return undefined;
    throw error;
  } finally {
    client.close();
  }
}
