// A Device, the node that serves it and the hub that shows it, without anything between them but what they would send: the rules
// of the edge on one side, those of the hub on the other. A node is offline until it `sync`s.
import { applyDefinition, releaseOverride } from '../../../../src/model/desired-rules.ts';
import type { DeviceDefinition, PropertyDefinition } from '../../../../src/model/device.ts';
import type { Change } from '../../../../src/model/fact.ts';
import { countWishes } from '../../../../src/model/override-rules.ts';
import type { PropertyUpdate } from '../../../../src/model/property-update.ts';
import type { Twin } from '../../../../src/model/twin.ts';
import { applyUpdate } from '../../../../src/model/twin-rules.ts';
import { factOfTwin } from '../../../../src/edge/uplink/state-sender.ts';
import { conditionOf } from '../../../../src/cloud/kubernetes/conditions.ts';
import type { DeviceStatus } from '../../../../src/cloud/kubernetes/resources.ts';
import { LOCAL_OVERRIDE } from '../../../../src/cloud/upstream/local-overrides.ts';
import { lossesOf } from '../../../../src/cloud/upstream/override-events.ts';
import { projectAll } from '../../../../src/cloud/upstream/status-projector.ts';
import { decodeBatch, encodeBatch, encodeFact, type DeviceEvent } from '../../../../src/wire/device-events.ts';

const NODE = 'edge-1';

export class OverrideWorld {
  #spec: DeviceDefinition;
  #revision = 1;
  #seen: DeviceDefinition | undefined;
  #twin: Twin | undefined;
  #term = 1;
  #sent = 0;
  #time = Date.parse('2026-01-01T00:00:00Z');
  /** Every message of the stream of facts, in order. */
  readonly #stream: DeviceEvent[] = [];
  readonly #events = new Map<string, string>();
  #status: DeviceStatus = {};

  constructor(properties: readonly PropertyDefinition[]) {
    this.#spec = { namespace: 'default', name: 'boiler', uid: 'uid-1', binding: 1, protocol: 'mqtt', properties };
    this.sync();
    this.claim();
  }

  /** The cloud's word of a property; `undefined` takes it back. */
  cloud(name: string, desired: string | undefined): void {
    const others = this.#spec.properties.filter((each) => each.name !== name);
    const found = this.#spec.properties.find((each) => each.name === name);
    if (found === undefined) return;
    const { type, accessMode } = found;
    this.define([...others, { name, type, accessMode, ...(desired === undefined ? {} : { desired }) }]);
  }

  define(properties: readonly PropertyDefinition[]): void {
    const inOrder = [...properties].sort((a, b) => (a.name < b.name ? -1 : 1));
    this.#spec = { ...this.#spec, properties: inOrder };
  }

  property(name: string): PropertyDefinition | undefined {
    return this.#spec.properties.find((each) => each.name === name);
  }

  get properties(): readonly PropertyDefinition[] {
    return this.#spec.properties;
  }

  bindAnew(): void {
    this.#spec = { ...this.#spec, binding: this.#spec.binding + 1 };
  }

  /** Deleted and applied again: the hub begins with an empty status. */
  makeAgain(): void {
    this.#spec = { ...this.#spec, uid: `${this.#spec.uid}+` };
    this.#status = {};
  }

  /** The link is back: the newest definition reaches the node, as in one commit. */
  sync(): void {
    if (JSON.stringify(this.#seen) === JSON.stringify(this.#spec)) return;
    this.#revision += 1;
    const cloud = { previous: this.#seen, next: this.#spec, revision: this.#revision };
    const { twin, changes } = applyDefinition(this.#twin, cloud, this.#now());
    this.#seen = this.#spec;
    this.#keep(twin, changes);
  }

  set(property: string, value: string): void {
    this.#update({ property, expected: { raw: value } });
  }

  report(property: string, value: string): void {
    this.#update({ property, actual: { raw: value } });
  }

  /** A client says that the node cannot do without it. */
  require(property: string): void {
    this.#update({ property, optional: false });
  }

  /** `null` in the place of the property. */
  remove(property: string): void {
    this.#update({ property, isRemoval: true });
  }

  reset(name: string): void {
    const found = this.#twin?.properties[name];
    if (found === undefined || this.#twin === undefined || this.#seen === undefined) return;
    const word = this.#seen.properties.find((each) => each.name === name)?.desired;
    const properties = { ...this.#twin.properties, [name]: releaseOverride(found, word, this.#now()) };
    const { twin, changes } = countWishes(this.#twin, { ...this.#twin, properties }, this.#seen, this.#now());
    this.#keep(twin, changes);
  }

  /** What is stored is text. */
  restartNode(): void {
    this.#twin = JSON.parse(JSON.stringify(this.#twin)) as Twin;
    this.claim();
  }

  /** The disk is lost; what the node then hears of the cloud is new to it. */
  wipeNode(): void {
    this.#twin = undefined;
    this.#seen = undefined;
    this.#term += 1;
    this.sync();
    this.claim();
  }

  /** State is told after every claim. */
  claim(): void {
    if (this.#twin !== undefined) this.#project(this.#encoded(factOfTwin(this.#twin, undefined), 'state'));
  }

  /** A hub that starts again reads a part of the stream for the second time. */
  restartHub(): void {
    this.#status = JSON.parse(JSON.stringify(this.#status)) as DeviceStatus;
    for (const event of this.#stream) this.#take(event);
  }

  get desired(): Readonly<Record<string, string>> {
    const properties = Object.entries(this.#twin?.properties ?? {});
    return Object.fromEntries(
      properties.flatMap(([name, { desired }]) => (desired === undefined ? [] : [[name, desired.value]])),
    );
  }

  revisionOf(property: string): number | undefined {
    return this.#twin?.properties[property]?.desired?.revision;
  }

  /** What Kubernetes shows as standing. */
  get shown(): Readonly<Record<string, string>> {
    return Object.fromEntries(
      (this.#status.overrides?.properties ?? []).map((each) => [each.propertyName, each.value]),
    );
  }

  get condition(): string {
    const found = conditionOf(this.#status, LOCAL_OVERRIDE);
    return found === undefined ? 'none' : `${found.status} ${found.reason}`;
  }

  /** Kubernetes Events, each once. */
  get events(): readonly string[] {
    return [...this.#events.values()];
  }

  #update(update: PropertyUpdate): void {
    if (this.#seen === undefined || this.#twin === undefined) return;
    const outcome = applyUpdate(this.#twin, this.#seen, [update], this.#now());
    if (outcome.kind === 'applied') this.#keep(outcome.after, outcome.changes);
  }

  #now(): number {
    this.#time += 1000;
    return this.#time;
  }

  #keep(twin: Twin, changes: readonly Change[]): void {
    this.#twin = twin;
    if (changes.length === 0) return;
    const { namespace, name, uid, binding } = twin;
    const fact = { device: { namespace, name }, uid, binding, at: this.#time, changes };
    this.#sent += 1;
    for (const event of this.#encoded(fact, `i.${this.#sent}`)) {
      this.#stream.push(event);
      this.#take(event);
    }
  }

  /** By the way of real messages. */
  #encoded(fact: Parameters<typeof encodeFact>[0], id: string): readonly DeviceEvent[] {
    const stamp = { node: NODE, id, term: this.#term, historical: false };
    const decoded = decodeBatch(encodeBatch([encodeFact(fact, stamp)]));
    if (decoded.kind === 'refused') throw new Error(decoded.reason);
    return decoded.events;
  }

  #take(event: DeviceEvent): void {
    this.#project([event]);
    if (event.uid !== this.#spec.uid) return;
    for (const { reason, identity } of lossesOf(event)) this.#events.set(identity ?? '', reason);
  }

  #project(events: readonly DeviceEvent[]): void {
    const names = this.#spec.properties.map(({ name }) => name);
    const desiredOf = (property: string): string | undefined => this.property(property)?.desired;
    const device = { uid: this.#spec.uid, name: 'default/boiler', properties: names, desiredOf };
    this.#status = projectAll(device, this.#status, events);
  }
}
