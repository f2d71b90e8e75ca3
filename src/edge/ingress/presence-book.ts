// Which client speaks for which device, which of them are here, and how long a device has been silent. Counts the time in which
// this process ran, told by `pass`, so that neither a clock that is set nor a machine that sleeps makes anybody silent. Memory: one
// record for each device of this node, and one for each client that is connected or of whose devices something is still to be said.
import type { Departure } from '../../../broker/index.ts';
import type { Duration } from '../../kit/units.ts';
import { deviceKey, type DeviceDefinition, type DeviceId } from '../../model/device.ts';
import { ownClientIds, type Evidence, type Observation } from '../../model/state-rules.ts';
import type { Twin } from '../../model/twin.ts';
import { Speakers, type Spoken } from './speakers.ts';

export interface PresenceTimes {
  /** What a client gets to come back before its devices are said to be away: a flapping radio is no flapping device. */
  readonly grace: Duration;
  /** The same after a start of the node, when everybody has to come back. */
  readonly startGrace: Duration;
  /** Where a device says the same again and again, the cloud hears so often that it is alive. */
  readonly signEvery: Duration;
}

interface Expected {
  readonly evidence: Evidence;
  readonly dueAt: number;
  readonly seenAt?: number;
}

interface DeviceRecord extends Spoken<DeviceRecord> {
  definition: DeviceDefinition;
  ownIds: readonly string[];
  heardAt: number;
  /** When the cloud was last told anything of it. */
  toldAt: number;
  expected: Expected | undefined;
  /** The client that the stored twin names. */
  noted: string | undefined;
}

/** Something to be put into a twin, and `done` to be told when it is. */
export interface Due {
  readonly device: DeviceId;
  readonly observation: Observation;
  readonly done: () => void;
}

export class PresenceBook {
  readonly #times: PresenceTimes;
  readonly #devices = new Map<string, DeviceRecord>();
  readonly #byDefinition = new WeakMap<DeviceDefinition, DeviceRecord>();
  readonly #owners = new Map<string, Set<DeviceRecord>>();
  readonly #speakers = new Speakers<DeviceRecord>();
  #time = 0;

  constructor(times: PresenceTimes) {
    this.#times = times;
  }

  /** So much time of this process has passed. */
  pass(elapsed: number): void {
    this.#time += elapsed;
  }

  /** These are the devices of the node now, and no others. */
  know(definitions: readonly DeviceDefinition[]): void {
    for (const definition of definitions) this.#recordOf(definition);
    if (definitions.length === this.#devices.size) return;
    const known = new Set(definitions.map(deviceKey));
    for (const [key, record] of this.#devices) if (!known.has(key)) this.#forget(key, record);
  }

  /** After `know`, once: clients that the twins name were connected when the node stopped. */
  recall(twins: Iterable<Twin>): void {
    const grouped = new Map<string, DeviceRecord[]>();
    for (const twin of twins) {
      const record = this.#devices.get(deviceKey(twin));
      const client = twin.state?.client;
      if (record === undefined || client === undefined) continue;
      record.noted = client;
      if (this.#voucherOf(record) === undefined) grouped.set(client, [...(grouped.get(client) ?? []), record]);
    }
    for (const [id, records] of grouped) this.#recallClient(id, records);
  }

  connected(id: string): void {
    const client = this.#speakers.of(id);
    client.isConnected = true;
    for (const record of client.devices) cancelDeparture(record);
    for (const record of this.#owners.get(id) ?? []) this.#expect(record, 'connected');
  }

  /** @param seenAt the moment, by the wall clock */
  gone(id: string, how: Departure, seenAt: number): void {
    const client = this.#speakers.known(id);
    if (client === undefined) return;
    client.isConnected = false;
    for (const record of [...client.devices]) {
      const isOver = how === 'disconnected' || this.#isOwnHere(record);
      if (isOver) this.#speakers.release(record);
      else this.#expect(record, client.isMapper ? 'mapper-gone' : 'client-gone', this.#times.grace, seenAt);
    }
    for (const record of this.#owners.get(id) ?? []) this.#ownGone(record, how, seenAt);
    this.#speakers.dropIdle(client);
  }

  /** The device spoke, through that client. @param isNews whether the cloud will be told of it */
  heard(definition: DeviceDefinition, clientId: string, isNews: boolean): void {
    const record = this.#recordOf(definition);
    record.heardAt = this.#time;
    if (isNews) record.toldAt = this.#time;
    const { speaker } = record;
    if (speaker?.id === clientId && speaker.isConnected && record.expected === undefined) return;
    const client = this.#speakers.known(clientId);
    // Words that were on their way when their client went do not bring it back.
    if (client?.isConnected !== true) return;
    cancelDeparture(record);
    this.#speakers.speaksFor(client, record);
  }

  /** What is to be said of the devices by now. */
  due(): readonly Due[] {
    const due: Due[] = [];
    for (const record of this.#devices.values()) {
      const { expected } = record;
      const isExpected = expected !== undefined && expected.dueAt <= this.#time;
      if (isExpected || this.#isSilent(record) || this.#isUnnoted(record))
        due.push(this.#dueOf(record, isExpected ? expected : undefined));
    }
    return due;
  }

  isOwnConnected(device: DeviceId): boolean {
    const record = this.#devices.get(deviceKey(device));
    return record !== undefined && this.#isOwnHere(record);
  }

  /** Whether the device gave signs of life, and the cloud heard nothing of it for so long. */
  isSignDue(device: DeviceId): boolean {
    const record = this.#devices.get(deviceKey(device));
    if (record === undefined || this.#time - record.toldAt < this.#times.signEvery) return false;
    return record.heardAt > record.toldAt || this.#isOwnHere(record);
  }

  told(device: DeviceId): void {
    const record = this.#devices.get(deviceKey(device));
    if (record !== undefined) record.toldAt = this.#time;
  }

  /** Clients that are remembered. */
  get clients(): number {
    return this.#speakers.count;
  }

  #recordOf(definition: DeviceDefinition): DeviceRecord {
    const found = this.#byDefinition.get(definition);
    if (found !== undefined) return found;
    const key = deviceKey(definition);
    const known = this.#devices.get(key);
    const isOther = known !== undefined && known.definition.uid !== definition.uid;
    if (isOther) this.#forget(key, known);
    const record = known === undefined || isOther ? this.#newRecord(definition) : known;
    this.#devices.set(key, record);
    this.#define(record, definition);
    return record;
  }

  #newRecord(definition: DeviceDefinition): DeviceRecord {
    const [heardAt, toldAt] = [this.#time, this.#time];
    return { definition, ownIds: [], heardAt, toldAt, speaker: undefined, expected: undefined, noted: undefined };
  }

  #define(record: DeviceRecord, definition: DeviceDefinition): void {
    this.#byDefinition.delete(record.definition);
    this.#byDefinition.set(definition, record);
    record.definition = definition;
    const ids = ownClientIds(definition);
    if (ids.join() === record.ownIds.join()) return;
    this.#disown(record);
    record.ownIds = ids;
    for (const id of ids) {
      const owned = this.#owners.get(id) ?? new Set();
      this.#owners.set(id, owned.add(record));
    }
    if (this.#isOwnHere(record)) this.#expect(record, 'connected');
  }

  #disown(record: DeviceRecord): void {
    for (const id of record.ownIds) {
      const owned = this.#owners.get(id);
      owned?.delete(record);
      if (owned?.size === 0) this.#owners.delete(id);
    }
    record.ownIds = [];
  }

  #forget(key: string, record: DeviceRecord): void {
    this.#devices.delete(key);
    this.#byDefinition.delete(record.definition);
    this.#disown(record);
    this.#speakers.release(record);
  }

  #recallClient(id: string, records: readonly DeviceRecord[]): void {
    const spoken = records.filter(({ ownIds }) => !ownIds.includes(id));
    for (const record of records)
      if (record.ownIds.includes(id)) this.#expect(record, 'client-gone', this.#times.startGrace);
    if (spoken.length === 0) return;
    const client = this.#speakers.of(id);
    for (const record of spoken) {
      this.#speakers.speaksFor(client, record);
      if (!client.isConnected)
        this.#expect(record, spoken.length > 1 ? 'mapper-gone' : 'client-not-back', this.#times.startGrace);
    }
  }

  /** Who says goodbye may sleep for as long as silence is allowed; without such a limit it has gone. */
  #ownGone(record: DeviceRecord, how: Departure, seenAt: number): void {
    if (this.#isOwnHere(record)) return;
    if (record.expected?.evidence === 'connected') record.expected = undefined;
    record.heardAt = this.#time;
    const maySleep = how === 'disconnected' && record.definition.staleAfter !== undefined;
    if (!maySleep) this.#expect(record, 'client-gone', this.#times.grace, seenAt);
  }

  #expect(record: DeviceRecord, evidence: Evidence, after = 0, seenAt?: number): void {
    record.expected = { evidence, dueAt: this.#time + after, ...(seenAt === undefined ? {} : { seenAt }) };
  }

  #isOwnHere({ ownIds }: DeviceRecord): boolean {
    return ownIds.some((id) => this.#speakers.isConnected(id));
  }

  #isSilent(record: DeviceRecord): boolean {
    const { staleAfter } = record.definition;
    return staleAfter !== undefined && this.#time - record.heardAt >= staleAfter && !this.#isOwnHere(record);
  }

  /** While a client is given time to come back, the twin goes on naming it: a node that is killed meanwhile gives it that time again. */
  #isUnnoted(record: DeviceRecord): boolean {
    return record.expected === undefined && record.noted !== this.#voucherOf(record);
  }

  #voucherOf({ ownIds, speaker }: DeviceRecord): string | undefined {
    return ownIds.find((id) => this.#speakers.isConnected(id)) ?? (speaker?.isConnected ? speaker.id : undefined);
  }

  #dueOf(record: DeviceRecord, expected: Expected | undefined): Due {
    const client = this.#voucherOf(record);
    const evidence = expected?.evidence ?? (this.#isSilent(record) ? 'silence' : undefined);
    const seenAt = expected?.seenAt;
    const { namespace, name } = record.definition;
    const observation = {
      ...(evidence === undefined ? {} : { evidence }),
      ...(seenAt === undefined ? {} : { seenAt }),
      ...(client === undefined ? {} : { client }),
    };
    const done = (): void => {
      record.noted = client;
      if (expected !== undefined && record.expected === expected) this.#met(record);
    };
    return { device: { namespace, name }, observation, done };
  }

  #met(record: DeviceRecord): void {
    record.expected = undefined;
    if (record.speaker?.isConnected === false) this.#speakers.release(record);
  }
}

function cancelDeparture(record: DeviceRecord): void {
  if (record.expected?.evidence !== 'connected') record.expected = undefined;
}
