import assert from 'node:assert/strict';
import { test } from 'node:test';
import { mebibytes } from '../../../src/kit/units.ts';
import { putIfRevision, readLast, receiptOf } from '../../../src/nats/direct-get.ts';
import { ensureStreams, streamFacts, subjectsOf } from '../../../src/nats/jetstream-admin.ts';
import { wantedStreams } from '../../../src/nats/stream-plan.ts';
import {
  bucketSubject,
  CLAIM_BUCKET,
  CLAIM_STREAM,
  claimKey,
  DESIRED_BUCKET,
  DESIRED_STREAM,
  UP_STREAM,
} from '../../../src/wire/nats-subjects.ts';
import { startNats } from '../../support/nats-server.ts';
import { waitUntil } from '../../support/wait-until.ts';
import { linkTo } from './link-to.ts';

test('streams are made once, and making sure of them again changes nothing', async () => {
  await using nats = await startNats();
  await using linked = await linkTo(nats);
  await ensureStreams(linked.link, wantedStreams(mebibytes(16)));
  const first = await streamFacts(linked.link, UP_STREAM);

  await ensureStreams(linked.link, wantedStreams(mebibytes(16)));

  assert.deepEqual(await streamFacts(linked.link, UP_STREAM), first);
});

test('a stream with another limit is changed in place and keeps what it holds', async () => {
  await using nats = await startNats();
  await using linked = await linkTo(nats);
  const { link } = linked;
  await ensureStreams(link, wantedStreams(mebibytes(16)));
  await link.request('skerry.edge-a.up.twin.default.counter', Buffer.from('one'));

  await ensureStreams(link, wantedStreams(mebibytes(32)));

  const jsm = await link.jetStreamConnection()?.jetstreamManager();
  const info = await jsm?.streams.info(UP_STREAM);
  assert.equal(info?.config.max_bytes, mebibytes(32));
  assert.equal(info.state.messages, 1);
});

test('a bucket made anew has another identity', async () => {
  await using nats = await startNats();
  await using linked = await linkTo(nats);
  const { link } = linked;
  await ensureStreams(link, wantedStreams(mebibytes(16)));
  const before = await streamFacts(link, DESIRED_STREAM);
  const jsm = await link.jetStreamConnection()?.jetstreamManager();
  await jsm?.streams.delete(DESIRED_STREAM);

  await ensureStreams(link, wantedStreams(mebibytes(16)));

  assert.notEqual((await streamFacts(link, DESIRED_STREAM)).created, before.created);
});

test('a bucket key is written only over the revision that the writer knows', async () => {
  await using nats = await startNats();
  await using linked = await linkTo(nats);
  const { link } = linked;
  await ensureStreams(link, wantedStreams(mebibytes(16)));
  const subject = bucketSubject(DESIRED_BUCKET, 'edge-a.device.default.counter');

  const first = await putIfRevision(link, subject, Buffer.from('one'), 0);
  assert.equal(await putIfRevision(link, subject, Buffer.from('two'), 0), 'conflict');

  assert.equal(typeof first, 'number');
  const held = await readLast(link, DESIRED_STREAM, subject);
  assert.equal(Buffer.from(held?.data ?? []).toString(), 'one');
  assert.deepEqual(await subjectsOf(link, DESIRED_STREAM, bucketSubject(DESIRED_BUCKET, '>')), [subject]);
});

test('a bucket of an earlier version that took roll-up headers takes them no longer, and keeps its keys', async () => {
  await using nats = await startNats();
  await using linked = await linkTo(nats);
  const { link } = linked;
  const wanted = wantedStreams(mebibytes(16));
  await ensureStreams(
    link,
    wanted.map((shape) => ({ ...shape, allow_rollup_hdrs: shape.name.startsWith('KV_') })),
  );
  const [mine, foreign] = ['edge-a', 'edge-b'].map((node) => bucketSubject(CLAIM_BUCKET, claimKey(node)));
  assert.ok(mine !== undefined && foreign !== undefined);
  await link.request(foreign, Buffer.from('claim'));

  await ensureStreams(link, wanted);

  const answer = await link.request(mine, Buffer.from('purge'), { headers: { 'Nats-Rollup': 'all' } });
  assert.notEqual(receiptOf(answer).kind, 'stored');
  const held = await readLast(link, CLAIM_STREAM, foreign);
  assert.equal(Buffer.from(held?.data ?? []).toString(), 'claim');
});

test('without a server every request says that NATS is unavailable', async () => {
  await using nats = await startNats();
  await using linked = await linkTo(nats);
  await nats.kill();
  await waitUntil('the link to notice', () => !linked.link.connected);

  await assert.rejects(ensureStreams(linked.link, wantedStreams(mebibytes(16))), { code: 'NATS_UNAVAILABLE' });
  await assert.rejects(streamFacts(linked.link, UP_STREAM), { code: 'NATS_UNAVAILABLE' });
});
