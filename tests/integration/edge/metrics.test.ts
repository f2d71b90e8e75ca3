// What a scraper reads from a node is what happened there.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { waitUntil } from '../../support/wait-until.ts';
import { valueOf } from '../../support/metrics.ts';
import { BOILER, EdgeWorld, report, UPDATE } from './edge-world.ts';

void test('publications, messages and the outbox are counted as they went', async () => {
  await using world = await EdgeWorld.open();
  const edge = await world.startEdge();
  await world.put(BOILER);
  await world.uplinkOpen();
  const client = await world.client();
  await waitUntil('the definition', async () => (await fetch(`${edge.addresses.http}/twins/default/boiler`)).ok);
  const scrape = async (): Promise<string> => {
    const answer = await fetch(`${edge.addresses.http}/metrics`);
    assert.match(answer.headers.get('content-type') ?? '', /^text\/plain; version=0\.0\.4/);
    return await answer.text();
  };

  for (const value of [1, 2, 3]) await client.publishAsync(UPDATE, report('count', value), { qos: 1 });
  await client.publishAsync(UPDATE, 'no JSON', { qos: 1 });
  await waitUntil('the refusal to be told', async () =>
    (await world.upEvents()).some(({ kind }) => kind === 'rejected'),
  );
  await waitUntil('an empty outbox', async () => valueOf(await scrape(), 'skerry_outbox_entries') === 0);

  const text = await scrape();
  assert.equal(valueOf(text, 'skerry_ingress_publications_total{answer="admit"}'), 3);
  assert.equal(valueOf(text, 'skerry_ingress_publications_total{answer="set-aside"}'), 1);
  assert.equal(valueOf(text, 'skerry_ingress_publications_total{answer="unavailable"}'), 0);
  assert.ok((valueOf(text, 'skerry_uplink_messages_total{result="stored"}') ?? 0) >= 1);
  assert.equal(valueOf(text, 'skerry_rejected_publications_total{reason="payload"}'), 1);
  assert.equal(valueOf(text, 'skerry_rejected_publications_total{reason="value"}'), 0);
  assert.equal(valueOf(text, 'skerry_uplink_open'), 1);
  assert.equal(valueOf(text, 'skerry_twin_devices'), 1);
  assert.equal(valueOf(text, 'skerry_twin_states{state="online"}'), 1);
  assert.equal(valueOf(text, 'skerry_twin_states{state="unknown"}'), 0);
  assert.equal(valueOf(text, 'skerry_broker_connections'), 1);
  assert.equal(valueOf(text, 'skerry_broker_received_messages_total{qos="1"}'), 4);
  assert.ok((valueOf(text, 'skerry_broker_received_bytes_total') ?? 0) > 4 * UPDATE.length);
  assert.equal(valueOf(text, 'skerry_broker_refused_connections_total{reason="connections"}'), 0);
  assert.equal(valueOf(text, 'skerry_broker_queued_messages'), 0);
  const status = (await (await fetch(`${edge.addresses.http}/status`)).json()) as { readonly clients: number };
  assert.equal(status.clients, 1);
  assert.ok((valueOf(text, 'skerry_store_commits_total') ?? 0) >= 3);
  assert.ok((valueOf(text, 'skerry_store_write_seconds_sum') ?? 0) > 0);
  assert.ok((valueOf(text, 'skerry_outbox_acknowledged_bytes') ?? 0) > 0);

  await world.nats.stop();
  await waitUntil('the lost link', async () => valueOf(await scrape(), 'skerry_uplink_linked') === 0);
  await client.publishAsync(UPDATE, report('count', 4), { qos: 1 });
  const offline = await scrape();
  assert.equal(valueOf(offline, 'skerry_outbox_entries'), 1);
  assert.equal(valueOf(offline, 'skerry_uplink_open'), 0);
});
