import assert from 'node:assert/strict';
import { test } from 'node:test';
import { occurrenceOf } from '../../../../../src/cloud/upstream/gap-events.ts';
import { tellOccurrences } from '../../../../../src/cloud/upstream/occurrences.ts';
import type { Occurrence, Recorded } from '../../../../../src/cloud/kubernetes/event-recorder.ts';
import type { DeviceResource } from '../../../../../src/cloud/kubernetes/resources.ts';
import type { DeviceEvent, Gap } from '../../../../../src/wire/device-events.ts';
import { chainSubject } from '../../../../../src/wire/nats-subjects.ts';

const DEVICE = { namespace: 'plant', name: 'boiler' };
const SUBJECT = chainSubject('edge-a', 'telemetry', DEVICE);
const GAP: Gap = {
  ...{ reason: 'bytes', changes: 12, from: 5, through: 90 },
  ...{ since: Date.UTC(2026, 0, 1), until: Date.UTC(2026, 0, 1, 6) },
};

function gapEvent(gap: Gap = GAP, changes: Partial<DeviceEvent> = {}): DeviceEvent {
  return {
    ...{
      id: 'i.90.0',
      kind: 'gap',
      node: 'edge-a',
      device: DEVICE,
      uid: 'u1',
      property: '',
      type: 'STRING',
      value: '',
    },
    ...{ version: { binding: 1, term: 3, n: 0 }, receivedAt: 0, historical: true, gap },
    ...changes,
  };
}

const device: DeviceResource = {
  apiVersion: 'devices.kubeedge.io/v1beta1',
  kind: 'Device',
  metadata: { name: 'boiler', namespace: 'plant', uid: 'u1', resourceVersion: '1' },
  spec: {},
  status: { binding: { nodeName: 'edge-a', generation: 1 } },
};

class Recorder {
  readonly occurrences: Occurrence[] = [];
  answer: Recorded = 'recorded';

  record(_object: unknown, occurrence: Occurrence): Promise<Recorded> {
    this.occurrences.push(occurrence);
    return Promise.resolve(this.answer);
  }
}

void test('an Event says how much of what is lost, from when until when, why, and which option would have kept it', () => {
  assert.deepEqual(occurrenceOf(SUBJECT, gapEvent()), {
    type: 'Warning',
    reason: 'HistoryDropped',
    message:
      '12 changes of class telemetry, received 2026-01-01T00:00:00.000Z to 2026-01-01T06:00:00.000Z (outbox entries 5 to 90), ' +
      'will not reach the cloud: the outbox of node edge-a was full; raise --outbox-bytes of skerry edge there, or restore its link sooner',
    identity: 'edge-a/i.90.0',
  });
  const aged = occurrenceOf(SUBJECT, gapEvent({ ...GAP, reason: 'age', changes: 1 }))?.message ?? '';
  const large = occurrenceOf(SUBJECT, gapEvent({ ...GAP, reason: 'size' }))?.message ?? '';
  assert.match(large, /the NATS server that node edge-a reaches .*max_payload$/);
  assert.match(aged, /^1 change of class telemetry, .*waited too long .*--outbox-age/);
});

void test('a reason that this hub does not know is told as the node gave it', () => {
  const told = occurrenceOf(SUBJECT, gapEvent({ ...GAP, reason: 'quota' }))?.message ?? '';
  assert.match(told, /^12 changes .* cloud: node edge-a gives the reason "quota", which this hub does not know$/);
  assert.match(occurrenceOf(SUBJECT, gapEvent({ ...GAP, reason: 'toString' }))?.message ?? '', /reason "toString"/);
});

void test('what was compacted, as somebody asked for, is no Event; nor is anything that is no gap', () => {
  assert.equal(occurrenceOf(SUBJECT, gapEvent({ ...GAP, reason: 'compacted' })), undefined);
  const { gap, ...other } = gapEvent();
  assert.ok(gap !== undefined);
  assert.equal(occurrenceOf(SUBJECT, other), undefined);
});

void test('nothing is told of a Device that has the name of an earlier one, or is bound to another node', async () => {
  const recorder = new Recorder();
  const foreign = [
    gapEvent(GAP, { uid: 'u0' }),
    gapEvent(GAP, { node: 'edge-b' }),
    gapEvent(GAP, { version: { binding: 2, term: 3, n: 0 } }),
  ];

  assert.ok(await tellOccurrences(foreign, { subject: SUBJECT, device, recorder }));

  assert.deepEqual(recorder.occurrences, []);
});

void test('where Kubernetes is away the message comes again; a refused Event holds nothing up', async () => {
  const recorder = new Recorder();
  const over = { subject: SUBJECT, device, recorder };

  recorder.answer = 'unavailable';
  assert.equal(await tellOccurrences([gapEvent()], over), false);
  recorder.answer = 'refused';
  assert.equal(await tellOccurrences([gapEvent(), gapEvent()], over), true);
  assert.equal(recorder.occurrences.length, 3);
});
