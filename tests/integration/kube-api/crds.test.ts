/* eslint-disable @typescript-eslint/no-unsafe-argument, @typescript-eslint/no-unsafe-assignment, @typescript-eslint/no-unsafe-call, @typescript-eslint/no-unsafe-member-access -- answers have many shapes, and the assertions are what checks them */
import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { startApi, suiteScope, eventually, type AnyJson, type Client } from './harness.ts';
import { CRDS, widgetCrd } from './samples.ts';

const WIDGETS = '/apis/example.com/v1/namespaces/default/widgets';
const widget = (name: string, spec: AnyJson = {}) => ({
  apiVersion: 'example.com/v1',
  kind: 'Widget',
  metadata: { name },
  spec,
});

describe('custom resource definitions', () => {
  const scope = suiteScope();
  let client: Client;

  before(async () => {
    ({ client } = await startApi(scope));
  });

  async function define(crd: AnyJson): Promise<void> {
    await client.delete(`${CRDS}/${crd.metadata.name}`);
    await eventually(
      'the old definition to go',
      async () => (await client.get(`${CRDS}/${crd.metadata.name}`)).code === 404,
    );
    const { code, body } = await client.post(CRDS, crd);
    assert.equal(code, 201, body.message);
  }

  it('serve their kind as soon as they are created, and say so', async () => {
    await define(widgetCrd());

    const { status, spec } = (await client.get(`${CRDS}/widgets.example.com`)).body;
    assert.deepEqual(
      status.conditions.map(({ type, status: is }: AnyJson) => `${type}=${is}`),
      ['NamesAccepted=True', 'Established=True'],
    );
    assert.equal(`${spec.names.singular} ${spec.names.listKind}`, 'widget WidgetList');
    assert.equal((await client.get(WIDGETS)).body.kind, 'WidgetList');
  });

  it('prune, default and validate', async () => {
    const schema = {
      type: 'object',
      properties: {
        spec: {
          type: 'object',
          required: ['size'],
          properties: {
            size: { type: 'integer', minimum: 1 },
            colour: { type: 'string', default: 'red', enum: ['red', 'blue'] },
            free: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
            port: { 'x-kubernetes-int-or-string': true },
          },
        },
      },
    };
    await define(widgetCrd({ schema }));

    const made = await client.post(WIDGETS, widget('w', { size: 2, unknown: 1, free: { a: { b: 1 } }, port: 'http' }));
    const wrong = await client.post(WIDGETS, widget('x', { size: 0, colour: 'green', port: true }));

    assert.deepEqual(made.body.spec, { size: 2, free: { a: { b: 1 } }, port: 'http', colour: 'red' });
    assert.equal(made.headers.warning, '299 - "unknown field \\"spec.unknown\\""');
    assert.equal(wrong.code, 422);
    assert.deepEqual(
      wrong.body.details.causes.map(({ reason, field }: AnyJson) => `${field} ${reason}`),
      ['spec.size FieldValueInvalid', 'spec.colour FieldValueNotSupported', 'spec.port FieldValueTypeInvalid'],
    );
  });

  it('serve one object in several versions', async () => {
    await define(widgetCrd());
    await client.post(WIDGETS, widget('w', { size: 1 }));

    const { body } = await client.get('/apis/example.com/v1beta1/namespaces/default/widgets/w');

    assert.equal(`${body.apiVersion} ${body.spec.size}`, 'example.com/v1beta1 1');
  });

  it('take a change of their schema at once, without locking out what was stored before', async () => {
    await define(widgetCrd());
    await client.post(WIDGETS, widget('old', { size: 1 }));
    const stricter = {
      type: 'object',
      properties: { spec: { type: 'object', properties: { size: { type: 'integer', minimum: 5 } } } },
    };

    await client.patch(`${CRDS}/widgets.example.com`, {
      spec: { versions: widgetCrd({ schema: stricter }).spec.versions },
    });

    assert.equal((await client.post(WIDGETS, widget('new', { size: 1 }))).code, 422);
    assert.equal((await client.patch(`${WIDGETS}/old`, { metadata: { labels: { a: 'b' } } })).code, 200);
    assert.equal((await client.patch(`${WIDGETS}/old`, { spec: { size: 2 } })).code, 422);
  });

  it('take their objects along when they are deleted', async () => {
    await define(widgetCrd());
    await client.post(WIDGETS, widget('w'));

    await client.delete(`${CRDS}/widgets.example.com`);
    await eventually(
      'the definition to go',
      async () => (await client.get(`${CRDS}/widgets.example.com`)).code === 404,
    );

    assert.equal((await client.get(WIDGETS)).code, 404);
    await define(widgetCrd());
    assert.deepEqual((await client.get(WIDGETS)).body.items, []);
  });

  it('say which of their wishes are not served', async () => {
    const spec = { type: 'object', 'x-kubernetes-validations': [{ rule: 'self.size > 0' }] };

    const { versions } = widgetCrd({ schema: { type: 'object', properties: { spec } } }).spec;
    await define(widgetCrd());
    const { headers } = await client.patch(`${CRDS}/widgets.example.com?dryRun=All`, { spec: { versions } });

    assert.match(headers.warning ?? '', /x-kubernetes-validations are stored, but this server does not evaluate them/);
  });

  it('are refused with the field that is malformed', async () => {
    const refused = async (change: (crd: AnyJson) => void): Promise<string> => {
      const crd = structuredClone(widgetCrd());
      change(crd);
      const { code, body } = await client.post(`${CRDS}?dryRun=All`, crd);
      assert.equal(code, 422, body.message);
      return body.message as string;
    };

    assert.match(
      await refused((crd) => (crd.metadata.name = 'other.example.com')),
      /metadata\.name: Invalid value: .*must be spec\.names\.plural/,
    );
    assert.match(
      await refused((crd) => (crd.spec.scope = 'Galaxy')),
      /spec\.scope: Unsupported value: "Galaxy": supported values: "Cluster", "Namespaced"/,
    );
    assert.match(await refused((crd) => (crd.spec.versions = [])), /spec\.versions: Required value/);
    assert.match(
      await refused((crd) => (crd.spec.versions[1].storage = true)),
      /spec\.versions: .*exactly one version marked as storage/,
    );
    assert.match(
      await refused((crd) => delete crd.spec.versions[0].schema),
      /spec\.versions\[0\]\.schema\.openAPIV3Schema: Required value/,
    );
    assert.match(
      await refused((crd) => (crd.spec.versions[0].schema.openAPIV3Schema.properties.spec.properties.size = {})),
      /openAPIV3Schema\.properties\[spec\]\.properties\[size\]\.type: Required value/,
    );
    assert.match(
      await refused(
        (crd) => (crd.spec.versions[0].additionalPrinterColumns = [{ name: 'A', type: 'string', jsonPath: 'no' }]),
      ),
      /additionalPrinterColumns\[0\]\.jsonPath: Invalid value: "no"/,
    );
  });
});
