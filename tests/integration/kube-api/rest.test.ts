/* eslint-disable @typescript-eslint/no-unsafe-argument, @typescript-eslint/no-unsafe-assignment, @typescript-eslint/no-unsafe-call, @typescript-eslint/no-unsafe-member-access -- answers have many shapes, and the assertions are what checks them */
import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { startApi, suiteScope, type Client } from './harness.ts';
import { CONFIG_MAPS, DEVICES, applyDeviceCrds, configMap, device } from './samples.ts';

describe('the REST interface', () => {
  const scope = suiteScope();
  let client: Client;

  before(async () => {
    ({ client } = await startApi(scope));
    await applyDeviceCrds(client);
  });

  it('answers nobody without the token, but tells everybody its health and version', async () => {
    const refused = await client.ask('GET', '/api/v1/nodes', { token: undefined });
    const wrong = await client.ask('GET', '/api/v1/nodes', { token: 'guess' });

    assert.equal(refused.code, 401);
    assert.equal(refused.body.reason, 'Unauthorized');
    assert.equal(wrong.code, 401);
    assert.equal((await client.ask('GET', '/readyz', { token: undefined })).text, 'ok');
    assert.equal((await client.ask('GET', '/version', { token: undefined })).body.gitVersion, 'v1.32.0+skerry');
  });

  it('gives a created object what the server adds', async () => {
    const { code, body } = await client.post(CONFIG_MAPS, configMap('made', { a: 'b' }));

    assert.equal(code, 201);
    assert.match(body.metadata.uid, /^[0-9a-f-]{36}$/);
    assert.match(body.metadata.creationTimestamp, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
    assert.equal(body.metadata.namespace, 'default');
    assert.ok(Number(body.metadata.resourceVersion) > 0);
  });

  it('makes a name out of generateName', async () => {
    const { body } = await client.post(CONFIG_MAPS, { metadata: { generateName: 'made-' } });

    assert.match(body.metadata.name, /^made-[a-z0-9]{5}$/);
  });

  it('refuses a second object of the same name, and names that are no names', async () => {
    await client.post(CONFIG_MAPS, configMap('twice'));
    const second = await client.post(CONFIG_MAPS, configMap('twice'));
    const unnamed = await client.post(CONFIG_MAPS, { metadata: {} });
    const misnamed = await client.post(CONFIG_MAPS, configMap('Not_A_Name'));

    assert.equal(second.body.message, 'configmaps "twice" already exists');
    assert.equal(second.body.reason, 'AlreadyExists');
    assert.match(unnamed.body.message, /metadata\.name: Required value: name or generateName is required/);
    assert.match(
      misnamed.body.message,
      /metadata\.name: Invalid value: "Not_A_Name": a lowercase RFC 1123 subdomain must/,
    );
  });

  it('refuses objects in a namespace that does not exist', async () => {
    const { code, body } = await client.post('/api/v1/namespaces/nowhere/configmaps', configMap('lost'));

    assert.equal(code, 404);
    assert.equal(body.message, 'namespaces "nowhere" not found');
  });

  it('refuses what it cannot read, and says why', async () => {
    const broken = await client.ask('POST', CONFIG_MAPS, { body: '{"metadata": {' });
    const yaml = await client.ask('POST', CONFIG_MAPS, { body: 'a: [1', type: 'application/yaml' });
    const other = await client.ask('POST', CONFIG_MAPS, { body: 'x', type: 'text/plain' });
    const protobuf = await client.ask('POST', '/api/v1/namespaces/default/pods', {
      body: 'k8s\0\n\x09\n\x02v1\x12\x03Pod',
      type: 'application/vnd.kubernetes.protobuf',
    });
    const list = await client.post(CONFIG_MAPS, []);
    const wrongKind = await client.post(CONFIG_MAPS, { kind: 'Secret', metadata: { name: 'x' } });

    assert.equal(broken.code, 400);
    assert.match(broken.body.message, /not JSON: .*(position|end)/);
    assert.match(yaml.body.message, /not YAML: .*line 1/);
    assert.equal(other.body.reason, 'UnsupportedMediaType');
    assert.equal(protobuf.code, 415);
    assert.match(protobuf.body.message, /Pod.*protobuf/);
    assert.equal(list.code, 400);
    assert.match(wrongKind.body.message, /kind in the data \(Secret\) does not match the expected kind \(ConfigMap\)/);
  });

  it('refuses a body of more than 3 MiB', async () => {
    const { code, body } = await client.post(CONFIG_MAPS, configMap('large', { a: 'x'.repeat(3 * 1024 * 1024) }));

    assert.equal(code, 413);
    assert.equal(body.reason, 'RequestEntityTooLarge');
  });

  it('answers unknown paths, kinds and methods with a Status', async () => {
    for (const path of [
      '/nothing',
      '/apis/none.example.com/v1/things',
      '/api/v1/namespaces/default/nodes/x',
      '/api/v1/%ZZ/x',
    ]) {
      const { code, body } = await client.get(path);
      assert.equal(`${code} ${body.kind} ${body.reason}`, '404 Status NotFound', path);
    }
    assert.equal((await client.put(CONFIG_MAPS, {})).body.reason, 'MethodNotAllowed');
  });

  it('updates only what was seen', async () => {
    const { body: first } = await client.post(CONFIG_MAPS, configMap('seen', { a: '1' }));
    const { body: second } = await client.put(`${CONFIG_MAPS}/seen`, { ...first, data: { a: '2' } });

    const stale = await client.put(`${CONFIG_MAPS}/seen`, { ...first, data: { a: '3' } });

    assert.notEqual(second.metadata.resourceVersion, first.metadata.resourceVersion);
    assert.equal(stale.code, 409);
    assert.equal(stale.body.reason, 'Conflict');
    assert.equal((await client.get(`${CONFIG_MAPS}/seen`)).body.data.a, '2');
  });

  it('uses no resourceVersion for a write that changes nothing', async () => {
    const { body: first } = await client.post(CONFIG_MAPS, configMap('same', { a: '1' }));

    const { body: second } = await client.patch(`${CONFIG_MAPS}/same`, { data: { a: '1' } });

    assert.equal(second.metadata.resourceVersion, first.metadata.resourceVersion);
  });

  it('writes status and spec apart, and counts changes of the spec only', async () => {
    await client.post(DEVICES, { ...device('split'), status: { state: 'dreamt' } });
    const created = (await client.get(`${DEVICES}/split`)).body;
    const byStatus = (
      await client.put(`${DEVICES}/split/status`, { ...created, spec: {}, status: { state: 'online' } })
    ).body;
    const bySpec = (await client.patch(`${DEVICES}/split`, { spec: { nodeName: 'edge-b' }, status: { state: 'lost' } }))
      .body;

    assert.equal(created.status, undefined);
    assert.equal(byStatus.spec.nodeName, 'edge-a');
    assert.equal(`${byStatus.status.state} ${byStatus.metadata.generation}`, 'online 1');
    assert.equal(bySpec.spec.nodeName, 'edge-b');
    assert.equal(`${bySpec.status.state} ${bySpec.metadata.generation}`, 'online 2');
  });

  it('wants a resourceVersion when a custom object is replaced', async () => {
    await client.post(DEVICES, device('blind'));

    const { code, body } = await client.put(`${DEVICES}/blind`, device('blind'));

    assert.equal(code, 422);
    assert.match(body.message, /metadata\.resourceVersion: Invalid value: 0x0: must be specified for an update/);
  });

  it('stores nothing on a dry run', async () => {
    const { code } = await client.post(`${CONFIG_MAPS}?dryRun=All`, configMap('dry'));

    assert.equal(code, 201);
    assert.equal((await client.get(`${CONFIG_MAPS}/dry`)).code, 404);
  });

  it('keeps an object with finalizers until they are gone', async () => {
    await client.post(CONFIG_MAPS, { metadata: { name: 'held', finalizers: ['example.com/hold'] } });

    const asked = await client.delete(`${CONFIG_MAPS}/held`);
    const more = await client.patch(`${CONFIG_MAPS}/held`, {
      metadata: { finalizers: ['example.com/hold', 'example.com/more'] },
    });
    await client.patch(`${CONFIG_MAPS}/held`, { metadata: { finalizers: null } });

    assert.ok(asked.body.metadata.deletionTimestamp);
    assert.match(more.body.message, /no new finalizers can be added if the object is being deleted/);
    assert.equal((await client.get(`${CONFIG_MAPS}/held`)).code, 404);
  });

  it('deletes only what its preconditions name', async () => {
    await client.post(CONFIG_MAPS, configMap('mine'));

    const refused = await client.delete(`${CONFIG_MAPS}/mine`, { preconditions: { uid: 'another' } });
    const deleted = await client.delete(`${CONFIG_MAPS}/mine`, { propagationPolicy: 'Background' });

    assert.equal(refused.code, 409);
    assert.equal(deleted.body.status, 'Success');
  });

  it('deletes a whole selection', async () => {
    for (const name of ['bulk-1', 'bulk-2']) await client.post(CONFIG_MAPS, configMap(name, {}, { bulk: 'yes' }));

    await client.delete(`${CONFIG_MAPS}?labelSelector=bulk%3Dyes`);

    assert.deepEqual((await client.get(`${CONFIG_MAPS}?labelSelector=bulk`)).body.items, []);
  });

  it('lists page by page, and by selector', async () => {
    const base = '/api/v1/namespaces/kube-public/configmaps';
    for (const name of ['p1', 'p2', 'p3', 'p4', 'p5'])
      await client.post(base, configMap(name, {}, { odd: String(/[135]/.test(name)) }));

    const names: string[][] = [];
    let token = '';
    do {
      const { body } = await client.get(`${base}?limit=2&continue=${token}`);
      names.push(body.items.map((item: { metadata: { name: string } }) => item.metadata.name));
      token = body.metadata.continue ?? '';
    } while (token !== '');
    const odd = await client.get(`${base}?labelSelector=odd+in+(true)`);
    const one = await client.get(`/api/v1/configmaps?fieldSelector=metadata.name=p2,metadata.namespace!=default`);
    const wrong = await client.get(`${base}?fieldSelector=data.a=b`);

    assert.deepEqual(names, [['p1', 'p2'], ['p3', 'p4'], ['p5']]);
    assert.equal(odd.body.items.length, 3);
    assert.equal(one.body.items.length, 1);
    assert.equal(wrong.body.message, 'field label not supported: data.a');
  });

  it('answers as a table, as metadata, and refuses forms it does not have', async () => {
    await client.post(CONFIG_MAPS, configMap('shown', { a: 'b' }));

    const table = await client.get(`${CONFIG_MAPS}/shown`, {
      accept: 'application/json;as=Table;v=v1;g=meta.k8s.io,application/json',
    });
    const meta = await client.get(`${CONFIG_MAPS}/shown`, {
      accept: 'application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io',
    });
    const fallback = await client.get(`${CONFIG_MAPS}/shown`, {
      accept: 'application/vnd.kubernetes.protobuf,application/json',
    });
    const none = await client.get(`${CONFIG_MAPS}/shown`, { accept: 'application/vnd.kubernetes.protobuf' });

    assert.deepEqual(table.body.rows[0].cells.slice(0, 2), ['shown', 1]);
    assert.equal(table.body.rows[0].object.kind, 'PartialObjectMetadata');
    assert.equal(meta.body.data, undefined);
    assert.equal(fallback.body.kind, 'ConfigMap');
    assert.equal(none.code, 406);
  });

  it('merges lists of built-in kinds by their keys', async () => {
    const node = {
      metadata: { name: 'merged' },
      status: {
        conditions: [
          { type: 'Ready', status: 'True' },
          { type: 'Disk', status: 'False' },
        ],
      },
    };
    await client.post('/api/v1/nodes', node);

    const patch = { status: { conditions: [{ type: 'Ready', status: 'False' }] } };
    const { body } = await client.patch('/api/v1/nodes/merged/status', patch, 'application/strategic-merge-patch+json');

    assert.deepEqual(body.status.conditions, [
      { type: 'Ready', status: 'False' },
      { type: 'Disk', status: 'False' },
    ]);
    const refused = await client.patch(`${DEVICES}/split`, {}, 'application/strategic-merge-patch+json');
    assert.equal(refused.code, 415);
  });

  it('applies all operations of a JSON patch or none', async () => {
    await client.post(CONFIG_MAPS, configMap('ops', { a: '1' }));
    const patch = [
      { op: 'replace', path: '/data/a', value: '2' },
      { op: 'test', path: '/data/a', value: 'other' },
    ];

    const refused = await client.patch(`${CONFIG_MAPS}/ops`, patch, 'application/json-patch+json');

    assert.equal(refused.code, 422);
    assert.match(refused.body.message, /test \/data\/a/);
    assert.equal((await client.get(`${CONFIG_MAPS}/ops`)).body.data.a, '1');
  });

  it('serves discovery in both forms, for groups, versions and kinds', async () => {
    const plain = await client.get('/apis');
    const version = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList';
    const aggregated = await client.get('/apis', { accept: version });
    const resources = await client.get('/apis/devices.kubeedge.io/v1beta1');

    assert.ok(plain.body.groups.some((group: { name: string }) => group.name === 'devices.kubeedge.io'));
    assert.equal(aggregated.headers['content-type'], version);
    assert.equal(aggregated.body.apiVersion, 'apidiscovery.k8s.io/v2');
    assert.ok(resources.body.resources.some((resource: { name: string }) => resource.name === 'devices/status'));
    assert.equal((await client.get('/apis/nothing.example.com')).code, 404);
  });

  it('describes every group version in OpenAPI v3', async () => {
    const index = (await client.get('/openapi/v3')).body.paths;
    const { body } = await client.get(index['apis/devices.kubeedge.io/v1beta1'].serverRelativeURL);

    const schema = body.components.schemas['io.kubeedge.devices.v1beta1.Device'];
    assert.deepEqual(schema['x-kubernetes-group-version-kind'], [
      { group: 'devices.kubeedge.io', version: 'v1beta1', kind: 'Device' },
    ]);
    assert.ok(index['api/v1']);
  });
});
