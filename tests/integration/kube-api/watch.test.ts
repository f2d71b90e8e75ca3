/* eslint-disable @typescript-eslint/no-unsafe-assignment, @typescript-eslint/no-unsafe-member-access -- answers have many shapes, and the assertions are what checks them */
import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { eventually, startApi, stopApi, suiteScope, temporaryDirectory, type Client } from './harness.ts';
import { CONFIG_MAPS, configMap } from './samples.ts';

describe('a watch', () => {
  const scope = suiteScope();
  let client: Client;

  before(async () => {
    ({ client } = await startApi(scope));
  });

  const revision = async (): Promise<string> => (await client.get(CONFIG_MAPS)).body.metadata.resourceVersion as string;

  it('tells additions, changes and deletions in order', async (t) => {
    const watch = await client.watch(t, `${CONFIG_MAPS}?watch=true&resourceVersion=${await revision()}`);

    await client.post(CONFIG_MAPS, configMap('a'));
    await client.patch(`${CONFIG_MAPS}/a`, { data: { x: '1' } });
    await client.delete(`${CONFIG_MAPS}/a`);

    await eventually('three events', () => watch.events.length === 3);
    assert.deepEqual(watch.summary, ['ADDED a', 'MODIFIED a', 'DELETED a']);
    const versions = watch.events.map(({ object }) => Number(object.metadata.resourceVersion));
    assert.deepEqual(
      versions,
      [...versions].sort((left, right) => left - right),
    );
  });

  it('resumes where a list ended, and begins with what exists when told no version', async (t) => {
    const from = await revision();
    await client.post(CONFIG_MAPS, configMap('resumed'));

    const resumed = await client.watch(t, `${CONFIG_MAPS}?watch=true&resourceVersion=${from}`);
    const fresh = await client.watch(t, `${CONFIG_MAPS}?watch=1`);

    await eventually('the event since', () => resumed.summary.includes('ADDED resumed'));
    await eventually('what exists', () => fresh.summary.includes('ADDED resumed'));
    assert.equal(resumed.events.length, 1);
  });

  it('sees objects come into a selector and leave it', async (t) => {
    const path = `${CONFIG_MAPS}?watch=true&resourceVersion=${await revision()}&labelSelector=on%3Dyes`;
    const watch = await client.watch(t, path);

    await client.post(CONFIG_MAPS, configMap('moving'));
    await client.patch(`${CONFIG_MAPS}/moving`, { metadata: { labels: { on: 'yes' } } });
    await client.patch(`${CONFIG_MAPS}/moving`, { data: { a: 'b' } });
    await client.patch(`${CONFIG_MAPS}/moving`, { metadata: { labels: { on: 'no' } } });
    await client.delete(`${CONFIG_MAPS}/moving`);
    await client.post(CONFIG_MAPS, configMap('last', {}, { on: 'yes' }));

    await eventually('the last event', () => watch.summary.includes('ADDED last'));
    assert.deepEqual(watch.summary, ['ADDED moving', 'MODIFIED moving', 'DELETED moving', 'ADDED last']);
    const replayed = await client.watch(t, path);
    await eventually('the same from the log', () => replayed.events.length === 4);
    assert.deepEqual(replayed.summary, watch.summary);
  });

  it('follows one object by name, in one namespace', async (t) => {
    const from = await revision();
    const watch = await client.watch(
      t,
      `${CONFIG_MAPS}?watch=true&resourceVersion=${from}&fieldSelector=metadata.name%3Done`,
    );

    await client.post('/api/v1/namespaces/kube-public/configmaps', configMap('one'));
    await client.post(CONFIG_MAPS, configMap('two'));
    await client.post(CONFIG_MAPS, configMap('one'));

    await eventually('the one event', () => watch.events.length === 1);
    assert.equal(watch.events[0].object.metadata.namespace, 'default');
  });

  it('sends tables whose first one only has headings', async (t) => {
    const accept = 'application/json;as=Table;v=v1;g=meta.k8s.io';
    const watch = await client.watch(t, `${CONFIG_MAPS}?watch=true&resourceVersion=${await revision()}`, { accept });

    await client.post(CONFIG_MAPS, configMap('t1'));
    await client.post(CONFIG_MAPS, configMap('t2'));

    await eventually('two tables', () => watch.events.length === 2);
    assert.deepEqual(
      watch.events.map(({ object }) => object.columnDefinitions.length > 0),
      [true, false],
    );
    assert.equal(watch.events[1].object.rows[0].cells[0], 't2');
  });

  it('ends when its time is up', async (t) => {
    const watch = await client.watch(
      t,
      `${CONFIG_MAPS}?watch=true&resourceVersion=${await revision()}&timeoutSeconds=1`,
    );

    await eventually('the end', () => watch.isOver, 5000);

    assert.deepEqual(watch.events, []);
  });

  it('tells a client with an unknown version to list again', async (t) => {
    const watch = await client.watch(t, `${CONFIG_MAPS}?watch=true&resourceVersion=999999999`);

    await eventually('the error', () => watch.isOver);

    assert.equal(watch.events[0].type, 'ERROR');
    assert.equal(`${watch.events[0].object.code} ${watch.events[0].object.reason}`, '410 Expired');
  });

  it('loses nothing between its backlog and the present while many write', async (t) => {
    const from = await revision();
    const names = Array.from({ length: 200 }, (_, index) => `many-${index}`);
    const writing = Promise.all(names.map((name) => client.post(CONFIG_MAPS, configMap(name))));

    const watches = await Promise.all(
      Array.from({ length: 5 }, () => client.watch(t, `${CONFIG_MAPS}?watch=true&resourceVersion=${from}`)),
    );
    await writing;

    for (const watch of watches) {
      await eventually('all events', () => watch.events.length === names.length);
      assert.equal(new Set(watch.summary).size, names.length);
    }
  });

  it('cuts off a client that does not read, and goes on serving the others', async (t) => {
    const path = `${CONFIG_MAPS}?watch=true&resourceVersion=${await revision()}`;
    const response = await client.open('GET', path);
    response.pause();
    let isCut = false;
    response.on('close', () => (isCut = true));
    response.on('error', () => (isCut = true));
    const other = await client.watch(t, path);

    const text = 'x'.repeat(1024 * 1024);
    await client.post(CONFIG_MAPS, configMap('big', { text }));
    for (let count = 0; count < 24; count += 1)
      await client.patch(`${CONFIG_MAPS}/big`, { data: { count: String(count) } });
    response.resume();

    await eventually('the slow watch to be cut', () => isCut);
    await eventually('all events for the other', () => other.events.length === 25);
  });

  it('resumes across a restart of the server', async (t) => {
    const dataDir = await temporaryDirectory();
    const first = await startApi(t, dataDir);
    const { resourceVersion } = (await first.client.get(CONFIG_MAPS)).body.metadata;
    await first.client.post(CONFIG_MAPS, configMap('before'));
    const open = await first.client.watch(t, `${CONFIG_MAPS}?watch=true&resourceVersion=${resourceVersion}`);
    await stopApi(first.api);
    await eventually('the open watch to end', () => open.isOver);

    const second = await startApi(t, dataDir);
    const watch = await second.client.watch(t, `${CONFIG_MAPS}?watch=true&resourceVersion=${resourceVersion}`);
    await second.client.post(CONFIG_MAPS, configMap('after'));

    await eventually('both events', () => watch.events.length === 2);
    assert.deepEqual(watch.summary, ['ADDED before', 'ADDED after']);
  });
});
