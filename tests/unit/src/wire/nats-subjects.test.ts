import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  bucketSubject,
  chainSubject,
  CLAIM_BUCKET,
  CLAIM_STREAM,
  claimKey,
  DESIRED_BUCKET,
  DESIRED_STREAM,
  desiredHints,
  desiredKey,
  heartbeatSubject,
  inboxPrefix,
  indexKey,
  keyOfBucketSubject,
  nodeOfKey,
  nodeOfSubject,
  nodePermissions,
  POISON_STREAM,
  POISON_SUBJECTS,
  poisonSubject,
  STATE_STREAM,
  STATE_SUBJECTS,
  stateSubject,
  UP_STREAM,
  UP_SUBJECTS,
  VIEWER_PERMISSIONS,
} from '../../../../src/wire/nats-subjects.ts';

/** What Kubernetes lets an object be called. */
const name = fc.stringMatching(/^[a-z0-9]([a-z0-9-]{0,6}(\.[a-z0-9])?[a-z0-9-]{0,6}[a-z0-9])?$/);
const device = fc.record({ namespace: name, name }, { noNullPrototype: true });

/** Whether a NATS subject matches a pattern. */
function matches(pattern: string, subject: string): boolean {
  const [wanted, given] = [pattern.split('.'), subject.split('.')];
  if (wanted.at(-1) === '>') {
    return (
      given.length >= wanted.length &&
      matches(wanted.slice(0, -1).join('.'), given.slice(0, wanted.length - 1).join('.'))
    );
  }
  return wanted.length === given.length && wanted.every((token, place) => token === '*' || token === given[place]);
}

const isCovered = (patterns: readonly string[], subject: string): boolean =>
  patterns.some((pattern) => matches(pattern, subject));

/** Everything that the edge publishes or asks as a node. */
function publishedBy(node: string, one: { namespace: string; name: string }): string[] {
  const get = (stream: string, subject: string): string => `$JS.API.DIRECT.GET.${stream}.${subject}`;
  const [twin, event] = [chainSubject(node, 'twin', one), chainSubject(node, 'event', one)];
  const claim = bucketSubject(CLAIM_BUCKET, claimKey(node));
  const desired = [indexKey(node), desiredKey(node, 'device', one)].map((key) => bucketSubject(DESIRED_BUCKET, key));
  return [
    ...[twin, event, stateSubject(node, one), heartbeatSubject(node), claim],
    ...[get(UP_STREAM, twin), get(UP_STREAM, event), get(CLAIM_STREAM, claim)],
    ...desired.map((subject) => get(DESIRED_STREAM, subject)),
  ];
}

void test('a node may do all it does, and nothing of what another node does', () => {
  fc.assert(
    fc.property(name, name, device, (node, other, one) => {
      fc.pre(node !== other);
      const { publish, subscribe } = nodePermissions(node);
      for (const subject of publishedBy(node, one)) assert.ok(isCovered(publish, subject), subject);
      for (const subject of publishedBy(other, one)) assert.ok(!isCovered(publish, subject), subject);
      for (const key of [indexKey(node), desiredKey(node, 'device', one)]) {
        assert.ok(isCovered(subscribe, bucketSubject(DESIRED_BUCKET, key)));
        assert.ok(matches(desiredHints(node), bucketSubject(DESIRED_BUCKET, key)));
      }
      assert.ok(isCovered(subscribe, `${inboxPrefix(node)}.up.x`));
      assert.ok(!isCovered(subscribe, `${inboxPrefix(other)}.up.x`));
      assert.ok(!isCovered(subscribe, bucketSubject(DESIRED_BUCKET, indexKey(other))));
    }),
  );
});

void test('a node may neither write desired state nor manage or consume any stream', () => {
  const { publish, subscribe } = nodePermissions('n1');
  const forbidden = [
    bucketSubject(DESIRED_BUCKET, indexKey('n1')),
    `$JS.API.DIRECT.GET.${UP_STREAM}`,
    `$JS.API.STREAM.INFO.${UP_STREAM}`,
    `$JS.API.CONSUMER.CREATE.${UP_STREAM}`,
    `$JS.API.STREAM.MSG.GET.${UP_STREAM}`,
    `$JS.API.STREAM.PURGE.${UP_STREAM}`,
    '$JS.ACK.skerry-up.hub.1.1.1.1.1',
    '_INBOX.hub.1',
  ];

  for (const subject of forbidden) assert.ok(!isCovered(publish, subject), subject);
  for (const subject of ['_INBOX.hub.1', 'skerry.n1.up.twin.a.b', '>', '$SYS.x']) {
    assert.ok(!isCovered(subscribe, subject), subject);
  }
});

void test('no node may publish what was set aside, whatever its name, and the listening user may read it and nothing more', () => {
  fc.assert(
    fc.property(fc.oneof(name, fc.constantFrom('poison', 'up', 'state')), name, device, (node, other, one) => {
      const { publish } = nodePermissions(node);
      for (const stream of [UP_STREAM, STATE_STREAM]) {
        const subject = poisonSubject(stream, other, 7);
        assert.ok(isCovered(POISON_SUBJECTS, subject), subject);
        assert.ok(!isCovered(publish, subject), subject);
        assert.ok(!isCovered([UP_SUBJECTS, STATE_SUBJECTS], subject), subject);
        assert.ok(isCovered(VIEWER_PERMISSIONS.subscribe, subject));
        assert.ok(!isCovered(VIEWER_PERMISSIONS.publish, subject));
      }
      for (const subject of publishedBy(node, one)) assert.ok(!isCovered(POISON_SUBJECTS, subject), subject);
    }),
  );
  for (const request of ['STREAM.PURGE', 'STREAM.DELETE', 'STREAM.MSG.DELETE', 'CONSUMER.CREATE'])
    assert.ok(!isCovered(VIEWER_PERMISSIONS.publish, `$JS.API.${request}.${POISON_STREAM}`), request);
});

void test('a node is found again in every subject and key of it, also with dots in its name', () => {
  fc.assert(
    fc.property(name, device, (node, one) => {
      for (const subject of [chainSubject(node, 'twin', one), stateSubject(node, one), heartbeatSubject(node)]) {
        assert.equal(nodeOfSubject(subject), node);
      }
      for (const key of [desiredKey(node, 'device', one), indexKey(node), claimKey(node)])
        assert.equal(nodeOfKey(key), node);
    }),
  );
});

void test('different devices have different subjects of the same length, which the streams take', () => {
  fc.assert(
    fc.property(name, device, device, (node, a, b) => {
      fc.pre(a.namespace !== b.namespace || a.name !== b.name);
      assert.notEqual(chainSubject(node, 'twin', a), chainSubject(node, 'twin', b));
      assert.notEqual(stateSubject(node, a), stateSubject(node, b));
      assert.notEqual(desiredKey(node, 'device', a), desiredKey(node, 'device', b));
      assert.equal(chainSubject(node, 'event', a).split('.').length, 6);
      assert.ok(matches(UP_SUBJECTS, chainSubject(node, 'event', a)));
      assert.ok(matches(STATE_SUBJECTS, stateSubject(node, a)));
      assert.ok(!matches(UP_SUBJECTS, stateSubject(node, a)));
    }),
  );
});

void test('a bucket subject gives its key back, and only in its own bucket', () => {
  const key = desiredKey('edge-a.site', 'device', { namespace: 'plant', name: 'boiler.7' });

  assert.equal(key, 'edge-a_site.device.plant.boiler_7');
  assert.equal(keyOfBucketSubject(DESIRED_BUCKET, bucketSubject(DESIRED_BUCKET, key)), key);
  assert.equal(keyOfBucketSubject(CLAIM_BUCKET, bucketSubject(DESIRED_BUCKET, key)), undefined);
});

void test('a subject of somebody else names no node', () => {
  for (const subject of ['', 'skerry', 'other.edge-a.up', '$KV.skerry-desired.edge-a']) {
    assert.equal(nodeOfSubject(subject), undefined, subject);
  }
});
