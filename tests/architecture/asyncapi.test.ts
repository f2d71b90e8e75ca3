// The AsyncAPI document is one, names the addresses that the pages name, and its schemas are those of what the code writes.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { Ajv } from 'ajv';
import type { Change, Fact, GapChange, OverrideEnd } from '../../src/model/fact.ts';
import { encodeBatch, encodeFact, EVENT_TYPES } from '../../src/wire/device-events.ts';
import { chainSubject, DEVICE_CLASSES, messageSubject, stateSubject } from '../../src/wire/nats-subjects.ts';
import { AsyncApiChecker, readAsyncApi } from '../support/asyncapi.ts';
import { firstCodes } from './docs.ts';

const TOPICS = 'docs/reference/topics.md';
const SUBJECTS = 'docs/reference/subjects.md';
const SPECIFICATION = 'node_modules/@asyncapi/specs/schemas/3.0.0-without-$id.json';

const sorted = (list: Iterable<string>): readonly string[] => [...list].sort();

const api = readAsyncApi();
const checker = new AsyncApiChecker(api);

void test('the document is AsyncAPI 3.0, and one that is not would be told', () => {
  // Formats are those of other vocabularies, such as e-mail addresses.
  const ajv = new Ajv({ strict: false, validateFormats: false });
  const validate = ajv.compile(JSON.parse(readFileSync(SPECIFICATION, 'utf8')) as object);

  assert.ok(validate(api), ajv.errorsText(validate.errors));
  assert.ok(
    !validate({ ...api, operations: { sendTwin: { action: 'publish', channel: { $ref: '#/channels/twin' } } } }),
  );
});

void test('every channel has one operation, and nothing is referred to that is not there', () => {
  const operated = Object.values(api.operations).map(({ channel }) => channel.$ref.replace('#/channels/', ''));
  const references = [...JSON.stringify(api).matchAll(/"\$ref":"#\/([^"]+)"/g)].map(([, path = '']) => path);
  const isThere = (path: string): boolean =>
    path.split('/').reduce<unknown>((at, key) => (at as Record<string, unknown> | undefined)?.[key], api) !== undefined;

  assert.deepEqual(sorted(operated), sorted(Object.keys(api.channels)));
  assert.deepEqual(
    references.filter((path) => !isThere(path)),
    [],
  );
});

void test('its channels are the topics of the page', () => {
  const listed = [
    'What a device or mapper publishes',
    'What the edge node publishes',
    'What goes to the cloud as it is',
  ];

  assert.deepEqual(sorted(checker.addresses('mqtt')), sorted(listed.flatMap((heading) => firstCodes(TOPICS, heading))));
});

void test('its channels are the subjects of the page', () => {
  assert.deepEqual(sorted(checker.addresses('nats')), sorted(firstCodes(SUBJECTS, 'Subjects')));
});

void test('its examples are what its schemas say', () => {
  assert.deepEqual(checker.wrongExamples(), []);
});

const DEVICE = { namespace: 'default', name: 'counter' };
const HEADERS = {
  'Content-Type': 'application/cloudevents-batch+json',
  'Nats-Expected-Stream': 'skerry-up',
  'Nats-Msg-Id': 'i.1',
  'Nats-Expected-Last-Subject-Sequence': '0',
};
const TWIN = chainSubject('n1', 'twin', DEVICE);
const EVENT = chainSubject('n1', 'event', DEVICE);

/** What may be said, with everything that it may say, and where. */
const CHANGES: readonly (readonly [address: string, change: Change])[] = [
  [TWIN, { kind: 'reported', property: 'count', type: 'INT', value: '7', n: 1, deviceTime: 1 }],
  [TWIN, { kind: 'observed', property: 'status', type: 'STRING', value: 'ON', n: 1 }],
  [TWIN, { kind: 'removed', property: 'label', n: 2 }],
  [EVENT, { kind: 'state', state: 'online', n: 1, seenAt: 1, cause: 'connected' }],
  [
    TWIN,
    {
      ...{ kind: 'override', n: 1 },
      standing: [{ property: 'status', value: 'ON', revision: 7, at: 1 }],
      ended: [{ property: 'mode', value: 'eco', reason: 'CloudChanged', desired: 'full' }],
    },
  ],
  [EVENT, { kind: 'gap', reason: 'bytes', changes: 2, from: 1, through: 2, since: 1, until: 2 }],
  [EVENT, { kind: 'rejected', count: 2, reason: 'r', since: 1, until: 2 }],
  [chainSubject('n1', 'data', DEVICE), { kind: 'message', topic: 't', payload: { json: '1' } }],
  [chainSubject('n1', 'data', DEVICE), { kind: 'message', topic: 't', payload: { base64: '' } }],
];

function encoded(change: Change): Buffer {
  const fact: Fact = { device: DEVICE, uid: 'u', binding: 1, at: 2, changes: [change], eventId: 'e' };
  return Buffer.from(encodeBatch([encodeFact(fact, { node: 'n1', id: 'i.1', term: 3, historical: true })]));
}

void test('events of every type, with all that they may say, are what the schemas say', () => {
  assert.deepEqual(new Set(CHANGES.map(([, { kind }]) => kind)), new Set(Object.keys(EVENT_TYPES) as Change['kind'][]));
  for (const [address, change] of CHANGES)
    assert.deepEqual(
      checker.problems('nats', { address, payload: encoded(change), headers: HEADERS }),
      [],
      change.kind,
    );
});

/** All of them, or this does not compile. */
const GAP_REASONS: Readonly<Record<GapChange['reason'], true>> = {
  bytes: true,
  age: true,
  size: true,
  compacted: true,
};
const OVERRIDE_ENDS: Readonly<Record<OverrideEnd, true>> = {
  ...{ CloudChanged: true, Agreed: true, Released: true },
  ...{ NotAllowed: true, DeviceMoved: true },
};

void test('a gap may stand in every chain, for every reason', () => {
  for (const reason of Object.keys(GAP_REASONS) as GapChange['reason'][]) {
    const gap: Change = { kind: 'gap', reason, changes: 2, from: 1, through: 2, since: 1, until: 2 };
    const ofNode = encodeFact({ at: 2, changes: [gap] }, { node: 'n1', id: 'i.1', term: 3, historical: false });
    const said = [
      ...DEVICE_CLASSES.map((each) => ({ address: chainSubject('n1', each, DEVICE), payload: encoded(gap) })),
      { address: messageSubject('n1'), payload: encodeBatch([ofNode]) },
    ];

    for (const each of said)
      assert.deepEqual(checker.problems('nats', { ...each, headers: HEADERS }), [], each.address);
  }
});

void test('an override may end for every reason', () => {
  for (const reason of Object.keys(OVERRIDE_ENDS) as OverrideEnd[]) {
    const payload = encoded({
      kind: 'override',
      n: 1,
      standing: [],
      ended: [{ property: 'mode', value: 'eco', reason }],
    });

    assert.deepEqual(checker.problems('nats', { address: TWIN, payload, headers: HEADERS }), [], reason);
  }
});

/** The value with one field spelled otherwise, for each of its fields. */
function misspelled(value: unknown): readonly unknown[] {
  if (Array.isArray(value)) {
    const items: readonly unknown[] = value;
    return items.flatMap((item, place) => misspelled(item).map((wrong) => items.with(place, wrong)));
  }
  if (typeof value !== 'object' || value === null) return [];
  const fields: readonly (readonly [string, unknown])[] = Object.entries(value);
  return fields.flatMap(([key, held], place) =>
    [[`${key}x`, held] as const, ...misspelled(held).map((wrong) => [key, wrong] as const)].map((field) =>
      Object.fromEntries(fields.with(place, field)),
    ),
  );
}

void test('a field under a wrong name is no event of the document, whichever it is', () => {
  for (const [address, change] of CHANGES) {
    const wrongs = misspelled(JSON.parse(encoded(change).toString()));
    assert.ok(wrongs.length >= 10, change.kind);
    for (const wrong of wrongs) {
      const payload = Buffer.from(JSON.stringify(wrong));

      assert.notDeepEqual(checker.problems('nats', { address, payload, headers: HEADERS }), [], payload.toString());
    }
  }
});

void test('a message on no channel, on the wrong one, or with other headers is told', () => {
  const payload = encoded({ kind: 'removed', property: 'label', n: 2 });
  const wrong = [
    { address: 'skerry.n1.up.other.default.counter', payload, headers: HEADERS },
    { address: EVENT, payload, headers: HEADERS },
    { address: TWIN, payload, headers: {} },
    { address: TWIN, payload, headers: { ...HEADERS, 'Nats-Rollup': 'sub' } },
    { address: stateSubject('n1', DEVICE), payload, headers: HEADERS },
  ];

  for (const said of wrong) assert.notDeepEqual(checker.problems('nats', said), [], said.address);
});
