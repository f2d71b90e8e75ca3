// The reference pages of topics, subjects, options and Kubernetes kinds say what the code builds, no more and no less.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { parseAllDocuments } from 'yaml';
import {
  COUNTER_OPTIONS,
  CHAOS_OPTIONS,
  DEMO_OPTIONS,
  EDGE_OPTIONS,
  EDGE_REPAIR_OPTIONS,
  HUB_OPTIONS,
  CERTIFICATE_OPTIONS,
  JOINING_OPTIONS,
  NATS_CONFIG_OPTIONS,
  NATS_USER_CREATE_OPTIONS,
  VOUCHING_OPTIONS,
  TOKEN_CREATE_OPTIONS,
  TWIN_ACCEPT_OPTIONS,
  TWIN_EDGE_OPTIONS,
  TWIN_GET_OPTIONS,
  TWIN_HISTORY_OPTIONS,
  TWIN_OPTIONS,
} from '../../src/cli/commands/option-tables.ts';
import { optionVariable, type OptionDeclaration } from '../../src/cli/options.ts';
import { builtInKinds } from '../../src/kube-api/kinds/built-in-kinds.ts';
import type { Change, Fact } from '../../src/model/fact.ts';
import { wantedStreams } from '../../src/nats/stream-plan.ts';
import { mebibytes } from '../../src/kit/units.ts';
import { encodeFact, EVENT_TYPES } from '../../src/wire/device-events.ts';
import {
  ANONYMOUS_RESULT_TOPIC,
  answerTopics,
  DEVICE_ANSWERS,
  DEVICE_REQUESTS,
  mapperTopic,
  MEMBERSHIP_TOPICS,
  membershipTopic,
  parseDataTopic,
  parseDeviceTopic,
  parseMembershipRequest,
  rejectedOfNodeTopic,
  rejectedTopic,
  requestTopic,
  UPLOAD_TOPICS,
} from '../../src/wire/mqtt-topics.ts';
import * as subjects from '../../src/wire/nats-subjects.ts';
import { codes, firstCodes, tableRows } from './docs.ts';

const TOPICS = 'docs/reference/topics.md';
const SUBJECTS = 'docs/reference/subjects.md';
const CONFIGURATION = 'docs/reference/configuration.md';
const KUBERNETES = 'docs/reference/kubernetes.md';

const NODE = '<node>';
const DEVICE = { namespace: '<ns>', name: '<device>' };
const IN_DEFAULT = { namespace: 'default', name: '<device>' };

const sorted = (list: Iterable<string>): readonly string[] => [...new Set(list)].sort();
const oneLevel = (topic: string): string => topic.replace('<ns>/', '');

void test('the topics that devices publish are listed in both address forms', () => {
  const built = DEVICE_REQUESTS.flatMap((request) => {
    const topic = requestTopic(DEVICE, request);
    return [topic, oneLevel(topic)];
  });

  const asked = membershipTopic(NODE, 'get');

  assert.deepEqual(sorted(firstCodes(TOPICS, 'What a device or mapper publishes')), sorted([...built, asked]));
  assert.equal(parseMembershipRequest(asked), NODE);
  for (const topic of built) assert.ok(parseDeviceTopic(topic) !== undefined, `${topic} is not understood`);
});

void test('the topics that go to the cloud as they are are listed', () => {
  const listed = firstCodes(TOPICS, 'What goes to the cloud as it is');
  const data = listed.filter((topic) => parseDataTopic(topic) !== undefined);

  assert.equal(data.length, 4);
  const users = EDGE_OPTIONS.find(({ flags }) => flags.startsWith('--upload-topics'))?.default ?? '';
  assert.deepEqual(sorted(listed), sorted([...data, ...UPLOAD_TOPICS, users]));
});

void test('the topics that the edge node publishes are listed', () => {
  const forms = DEVICE_ANSWERS.flatMap((answer) => [
    ...answerTopics(DEVICE, answer),
    ...answerTopics(IN_DEFAULT, answer).filter((topic) => !topic.includes('/default/')),
  ]);
  const membership = MEMBERSHIP_TOPICS.filter((what) => what !== 'get').map((what) => membershipTopic(NODE, what));
  const rejected = [ANONYMOUS_RESULT_TOPIC, rejectedTopic(DEVICE), rejectedOfNodeTopic(NODE)];
  const built = [...forms, ...membership, mapperTopic('<protocol>', DEVICE), ...rejected];

  assert.deepEqual(sorted(firstCodes(TOPICS, 'What the edge node publishes')), sorted(built));
});

const NAMED = { namespace: '<namespace>', name: '<device>' };

void test('the subjects are listed', () => {
  const inBucket = (bucket: string, key: string): string => subjects.bucketSubject(bucket, key);
  const built = [
    subjects.chainSubject(NODE, 'twin', NAMED),
    subjects.chainSubject(NODE, 'event', NAMED),
    subjects.chainSubject(NODE, 'telemetry', NAMED),
    subjects.chainSubject(NODE, 'data', NAMED),
    subjects.messageSubject(NODE),
    subjects.stateSubject(NODE, NAMED),
    subjects.heartbeatSubject(NODE),
    inBucket(subjects.DESIRED_BUCKET, subjects.desiredKey(NODE, 'device', NAMED)),
    inBucket(subjects.DESIRED_BUCKET, subjects.indexKey(NODE)),
    inBucket(subjects.CLAIM_BUCKET, subjects.claimKey(NODE)),
    subjects.poisonSubject('<stream>', NODE, Number.NaN).replace('NaN', '<sequence>'),
  ];

  assert.deepEqual(sorted(firstCodes(SUBJECTS, 'Subjects')), sorted(built));
});

void test('the streams and buckets are listed', () => {
  const names = wantedStreams(mebibytes(1)).map(({ name }) => name.replace(/^KV_/, ''));

  assert.deepEqual(sorted(firstCodes(SUBJECTS, 'Streams and buckets')), sorted(names));
});

void test('the event types are listed', () => {
  assert.deepEqual(sorted(firstCodes(SUBJECTS, 'Event types')), sorted(Object.values(EVENT_TYPES)));
});

void test('every field of an event is listed, and nothing else', () => {
  const changes: readonly Change[] = [
    { kind: 'reported', property: 'count', type: 'INT', value: '7', n: 1, deviceTime: 1 },
    { kind: 'observed', property: 'status', type: 'STRING', value: 'ON', n: 1 },
    { kind: 'removed', property: 'label', n: 2 },
    { kind: 'state', state: 'online', n: 1, seenAt: 1, cause: 'connected' },
    {
      ...{ kind: 'override', n: 1 },
      standing: [{ property: 'status', value: 'ON', revision: 7, at: 1 }],
      ended: [{ property: 'mode', value: 'eco', reason: 'CloudChanged', desired: 'full' }],
    },
    { kind: 'gap', reason: 'bytes', changes: 2, from: 1, through: 2, since: 1, until: 2 },
    { kind: 'rejected', count: 2, reason: 'r', since: 1, until: 2 },
    { kind: 'message', topic: 't', payload: { json: '1' } },
    { kind: 'message', topic: 't', payload: { base64: '' } },
  ];
  const fact: Fact = { device: NAMED, uid: 'u', binding: 1, at: 2, changes, eventId: 'e' };
  const text = encodeFact(fact, { node: 'n', id: 'i.1', term: 3, historical: true });

  const fields = (JSON.parse(`[${text}]`) as object[]).flatMap((event) => pathsOf(event));

  assert.deepEqual(sorted(firstCodes(SUBJECTS, 'Fields of an event')), sorted(fields));
});

function pathsOf(object: object, prefix = ''): readonly string[] {
  return Object.entries(object).flatMap(([key, value]: [string, unknown]) => {
    const path = `${prefix}${key}`;
    if (Array.isArray(value)) return value.flatMap((each: object) => pathsOf(each, `${path}[].`));
    return typeof value === 'object' && value !== null ? pathsOf(value, `${path}.`) : [path];
  });
}

void test('what a node may do is listed', () => {
  const { publish, subscribe } = subjects.nodePermissions(NODE);
  const built = [
    ...publish.map((subject) => `publish ${subject}`),
    ...subscribe.map((subject) => `subscribe ${subject}`),
  ];
  const listed = tableRows(SUBJECTS, 'What a node may do').map(
    ([verb = '', subject]) => `${verb} ${codes(subject)[0] ?? ''}`,
  );

  assert.deepEqual(sorted(listed), sorted(built));
});

const COMMANDS: Readonly<Record<string, readonly OptionDeclaration[]>> = {
  demo: DEMO_OPTIONS,
  hub: HUB_OPTIONS,
  edge: EDGE_OPTIONS,
  'edge repair': EDGE_REPAIR_OPTIONS,
  chaos: CHAOS_OPTIONS,
  'simulate counter': COUNTER_OPTIONS,
  'twin get': TWIN_GET_OPTIONS,
  'twin history': TWIN_HISTORY_OPTIONS,
  'twin watch': TWIN_OPTIONS,
  'twin set': TWIN_OPTIONS,
  'twin accept': TWIN_ACCEPT_OPTIONS,
  'twin reset': TWIN_EDGE_OPTIONS,
  'token create': TOKEN_CREATE_OPTIONS,
  'token list': JOINING_OPTIONS,
  'token delete': JOINING_OPTIONS,
  'node list': JOINING_OPTIONS,
  'node revoke': JOINING_OPTIONS,
  'node release': JOINING_OPTIONS,
  'nats-user create': NATS_USER_CREATE_OPTIONS,
  'nats-user list': VOUCHING_OPTIONS,
  'nats-user remove': VOUCHING_OPTIONS,
  'nats-config': NATS_CONFIG_OPTIONS,
  certificate: CERTIFICATE_OPTIONS,
};

for (const [command, options] of Object.entries(COMMANDS)) {
  void test(`the options of skerry ${command} are listed with variable, default and meaning`, () => {
    const rows = options.map(({ flags, description, default: usual, choices }) => [
      `\`${flags}\``,
      `\`${optionVariable(command, flags)}\``,
      usual === undefined ? '' : `\`${usual}\``,
      choices === undefined ? description : `${description} (${choices.join(', ')})`,
    ]);

    assert.deepEqual(tableRows(CONFIGURATION, `skerry ${command}`), rows);
  });
}

void test('the kinds that the embedded API knows by itself are listed', () => {
  const built = builtInKinds.map(({ kind, plural, group }) => `${kind} ${plural} ${group === '' ? 'core' : group}`);
  const listed = tableRows(KUBERNETES, 'The embedded API').map((row) => row.join(' ').replaceAll('`', ''));

  assert.deepEqual(sorted(listed), sorted(built));
});

interface Definition {
  readonly spec: {
    readonly names: { readonly kind: string };
    readonly versions: readonly {
      readonly additionalPrinterColumns?: readonly { readonly name: string; readonly jsonPath: string }[];
    }[];
  };
}

void test('the printer columns of our definitions are listed', () => {
  const texts = readdirSync('deploy/crds').map((file) => readFileSync(`deploy/crds/${file}`, 'utf8'));
  const definitions = texts.flatMap((text) => parseAllDocuments(text).map((document) => document.toJS() as Definition));
  const built = definitions.flatMap(({ spec }) =>
    spec.versions.flatMap(({ additionalPrinterColumns = [] }) =>
      additionalPrinterColumns.map(({ name, jsonPath }) => `${spec.names.kind} ${name} ${jsonPath}`),
    ),
  );
  const listed = tableRows(KUBERNETES, 'Device and DeviceModel')
    .map((row) => row.join(' ').replaceAll('`', ''))
    .filter((row) => row.startsWith('Device'));

  assert.deepEqual(sorted(listed), sorted(built));
});
