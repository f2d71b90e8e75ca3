// The real kubectl is the judge: what its users do must do what they expect.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { join } from 'node:path';
import { before, describe, it } from 'node:test';
import { Kubectl } from '../../support/kubectl.ts';
import { eventually, startApi, suiteScope, type Client } from './harness.ts';

const CRDS = join(process.cwd(), 'deploy/crds');

const COUNTER = `
apiVersion: devices.kubeedge.io/v1beta1
kind: DeviceModel
metadata: {name: counter}
spec: {protocol: virtual, properties: [{name: count, type: INT, accessMode: ReadOnly}]}
---
apiVersion: devices.kubeedge.io/v1beta1
kind: Device
metadata: {name: c1, labels: {site: north}}
spec:
  deviceModelRef: {name: counter}
  nodeName: edge-a
  protocol: {protocolName: virtual, configData: {step: 2}}
  properties: [{name: count, desired: {value: "0"}, collectCycle: 1000}]
`;

const NODE = `
apiVersion: v1
kind: Node
metadata: {name: n1, labels: {node-role.kubernetes.io/edge: ""}}
`;

describe('kubectl', () => {
  const scope = suiteScope();
  let kubectl: Kubectl;
  let client: Client;

  async function ok(...args: readonly string[]): Promise<string> {
    const { code, stdout, stderr } = await kubectl.run(args);
    assert.equal(code, 0, `kubectl ${args.join(' ')}: ${stderr}`);
    return stdout;
  }

  before(async () => {
    const started = await startApi(scope);
    client = started.client;
    kubectl = new Kubectl(started.api.kubeconfigFile);
    await ok('apply', '-f', CRDS);
    assert.equal((await kubectl.apply(COUNTER)).code, 0);
    assert.equal((await kubectl.apply(NODE)).code, 0);
  });

  it('applies the same manifest twice and says that nothing changed', async () => {
    const { stdout } = await kubectl.apply(COUNTER);

    assert.match(stdout, /devicemodel\.devices\.kubeedge\.io\/counter unchanged/);
    assert.match(stdout, /device\.devices\.kubeedge\.io\/c1 unchanged/);
  });

  it('shows the columns that the CRD names', async () => {
    await client.patch('/apis/devices.kubeedge.io/v1beta1/namespaces/default/devices/c1/status', {
      status: { state: 'online', summary: 'count=3', lastOnlineTime: new Date(Date.now() - 61_000).toISOString() },
    });

    const [heading, row] = (await ok('get', 'devices')).split('\n');

    assert.match(heading ?? '', /^NAME +NODE +PROTOCOL +STATE +VALUES +LAST SEEN +AGE *$/);
    assert.match(row ?? '', /^c1 +edge-a +virtual +online +count=3 +6\ds +\d+s *$/);
  });

  it('lists by label, in all namespaces, and as YAML', async () => {
    assert.match(await ok('get', 'devices', '-l', 'site=north', '-A'), /^NAMESPACE +NAME.*\ndefault +c1/);
    assert.equal(await ok('get', 'devices', '-l', 'site notin (north)', '-o', 'name'), '');
    assert.match(await ok('get', 'device', 'c1', '-o', 'yaml'), /^ {4}configData:\n {6}step: 2$/m);
  });

  it('knows short names, categories and kinds', async () => {
    const resources = await ok('api-resources', '--no-headers');

    assert.match(resources, /^devices +devices\.kubeedge\.io\/v1beta1 +true +Device$/m);
    assert.match(resources, /^customresourcedefinitions +crd,crds +apiextensions\.k8s\.io\/v1 +false/m);
    assert.match(await ok('get', 'crd'), /devices\.devices\.kubeedge\.io/);
  });

  it('explains fields of custom and built-in kinds', async () => {
    const explained = await ok('explain', 'device.spec.properties');

    assert.match(explained, /FIELD: properties <\[\]Object>/);
    assert.match(
      explained,
      /collectCycle\t<integer>\n +How often the value is read from the device, in milliseconds\./,
    );
    assert.match(await ok('explain', 'node.spec'), /unschedulable\t<boolean>/);
    const kept = await ok('explain', 'devicemodel.spec.properties.keep');
    assert.match(kept.replaceAll(/\s+/g, ' '), /sampled\(10s\) - at most one change in 10 s; units are ms, s, m and h/);
    assert.match(await ok('explain', 'device.spec.properties.class'), /ENUM:\n +twin\n +telemetry/);
  });

  it('takes an example that says how much of the history is kept, and refuses words that nobody knows', async () => {
    const file = join(process.cwd(), 'examples/devices/meter.yaml');
    await ok('apply', '-f', file);
    const shown = await ok('get', 'devicemodel', 'meter-model', '-o', 'jsonpath={.spec.properties[*].keep}');
    assert.equal(shown, 'all last sampled(10s)');

    for (const [field, value] of [
      ['keep', 'sampled(0s)'],
      ['class', 'bulk'],
    ] as const) {
      const patch = JSON.stringify([{ op: 'add', path: `/spec/properties/0/${field}`, value }]);
      const refused = await kubectl.run(['patch', 'device', 'meter', '--type=json', '-p', patch]);
      assert.notEqual(refused.code, 0);
      assert.match(refused.stderr, new RegExp(`spec\\.properties\\[0\\]\\.${field}`));
    }
  });

  it('patches by merge, by JSON patch, and through the status subresource', async () => {
    const spec = { properties: [{ name: 'count', desired: { value: '5' } }] };
    await ok('patch', 'device', 'c1', '--type=merge', '-p', JSON.stringify({ spec }));
    await ok(
      'patch',
      'device',
      'c1',
      '--type=json',
      '-p',
      '[{"op":"add","path":"/spec/properties/0/reportToCloud","value":true}]',
    );
    await ok('patch', 'device', 'c1', '--subresource=status', '--type=merge', '-p', '{"status":{"state":"offline"}}');

    const shown = await ok('get', 'device', 'c1', '-o', 'jsonpath={.spec.properties[0]} {.status.state}');

    assert.equal(shown, '{"desired":{"value":"5"},"name":"count","reportToCloud":true} offline');
  });

  it('labels, annotates, cordons and taints', async () => {
    await ok('label', 'node', 'n1', 'zone=a');
    await ok('annotate', 'device', 'c1', 'note=hello');
    await ok('cordon', 'n1');
    await ok('taint', 'node', 'n1', 'edge=true:NoSchedule');

    assert.match(await ok('get', 'nodes'), /^n1 +Unknown,SchedulingDisabled +edge /m);
    assert.equal(
      await ok('get', 'node', 'n1', '-o', 'jsonpath={.spec.taints[0].key} {.metadata.labels.zone}'),
      'edge a',
    );
    await ok('uncordon', 'n1');
    assert.match(await ok('describe', 'node', 'n1'), /Unschedulable: +false/);
  });

  it('refuses to replace an object with a stale resourceVersion', async () => {
    const stale = await ok('get', 'device', 'c1', '-o', 'json');
    await ok('annotate', 'device', 'c1', 'changed=since');

    const { code, stderr } = await kubectl.run(['replace', '-f', '-'], stale);

    assert.equal(code, 1);
    assert.match(stderr, /Conflict.*the object has been modified; please apply your changes to the latest version/s);
  });

  it('says which field breaks the schema', async () => {
    const broken = `
apiVersion: devices.kubeedge.io/v1beta1
kind: Device
metadata: {name: broken}
spec: {properties: [{name: count, desired: {}, collectCycle: often}]}
`;
    const { code, stderr } = await kubectl.apply(broken);

    assert.equal(code, 1);
    assert.match(stderr, /The Device "broken" is invalid/);
    assert.match(stderr, /spec\.properties\[0\]\.desired\.value: Required value/);
    assert.match(
      stderr,
      /spec\.properties\[0\]\.collectCycle: Invalid value: "string": spec\.properties\[0\]\.collectCycle in body must be of type integer: "string"/,
    );
  });

  it('says which value is not one of the possible ones', async () => {
    const { stderr } = await kubectl.apply(COUNTER.replace('type: INT', 'type: FOO'));

    assert.match(
      stderr,
      /The DeviceModel "counter" is invalid: spec\.properties\[0\]\.type: Unsupported value: "FOO": supported values: "INT", "FLOAT"/,
    );
  });

  it('refuses unknown fields on apply, and only warns when told to', async () => {
    const manifest = COUNTER.replace('nodeName: edge-a', 'nodeNam: edge-a');

    assert.match((await kubectl.apply(manifest)).stderr, /strict decoding error: unknown field "spec\.nodeNam"/);
    const warned = await kubectl.apply(manifest, '--validate=warn', '--dry-run=server');
    assert.equal(warned.code, 0);
    assert.match(warned.stderr, /Warning: unknown field "spec\.nodeNam"/);
  });

  it('tries changes out on the server without making them', async () => {
    const changed = COUNTER.replace('edge-a', 'edge-b');

    const dry = await kubectl.apply(changed, '--dry-run=server');
    const diff = await kubectl.run(['diff', '-f', '-'], changed);

    assert.match(dry.stdout, /c1 configured \(server dry run\)/);
    assert.equal(diff.code, 1, diff.stderr);
    assert.match(diff.stdout, /^-  nodeName: edge-a\n\+  nodeName: edge-b$/m);
    assert.equal(await ok('get', 'device', 'c1', '-o', 'jsonpath={.spec.nodeName}'), 'edge-a');
  });

  it('applies on the server, with conflicts between managers', async () => {
    const map = (value: string) =>
      `{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"shared"},"data":{"a":"${value}"}}`;
    const apply = (value: string, ...more: readonly string[]) => kubectl.apply(map(value), '--server-side', ...more);

    assert.equal((await apply('1')).code, 0);
    const refused = await apply('2', '--field-manager=other');
    const forced = await apply('2', '--field-manager=other', '--force-conflicts');

    assert.match(refused.stderr, /conflict with "kubectl": \.data\.a/);
    assert.equal(forced.code, 0, forced.stderr);
    assert.equal(await ok('get', 'cm', 'shared', '-o', 'jsonpath={.data.a}'), '2');
  });

  it('creates namespaces, config maps, secrets and service accounts, which kubectl sends as protobuf', async () => {
    await ok('create', 'namespace', 'plant');
    await ok('create', 'configmap', 'cm', '-n', 'plant', '--from-literal=a=b', '--from-literal=c=d');
    await ok('create', 'secret', 'generic', 's', '-n', 'plant', '--from-literal=user=me');
    await ok('create', 'serviceaccount', 'sa', '-n', 'plant');

    assert.match(
      await ok('get', 'cm,secret,sa', '-n', 'plant'),
      /configmap\/cm +2 .*secret\/s +Opaque +1 .*serviceaccount\/sa +0 /s,
    );
    assert.equal(
      await ok('get', 'secret', 's', '-n', 'plant', '-o', 'go-template={{.data.user | base64decode}}'),
      'me',
    );
  });

  it('deletes a namespace with all that is in it, and waits for it', async () => {
    await ok('create', 'namespace', 'gone');
    await ok('create', 'configmap', 'cm', '-n', 'gone', '--from-literal=a=b');

    await ok('delete', 'namespace', 'gone');

    assert.match((await kubectl.run(['get', 'ns', 'gone'])).stderr, /namespaces "gone" not found/);
    assert.match((await kubectl.run(['delete', 'ns', 'default'])).stderr, /this namespace may not be deleted/);
  });

  it('follows changes with -w and keeps the table', async (t) => {
    const child = kubectl.follow(['get', 'devices', '-w']);
    t.after(() => child.kill());
    let shown = '';
    child.stdout?.on('data', (text: Buffer) => (shown += text.toString()));
    await eventually('the first row', () => shown.includes('\nc1 '));

    await ok(
      'patch',
      'device',
      'c1',
      '--subresource=status',
      '--type=merge',
      '-p',
      '{"status":{"state":"seen-by-watch"}}',
    );

    await eventually('the changed row', () => /^c1 +edge-a +virtual +seen-by-watch /m.test(shown));
    assert.equal(shown.match(/NAME/g)?.length, 1);
  });

  it('waits for conditions, for fields and for deletion', async () => {
    await ok('wait', 'crd/devices.devices.kubeedge.io', '--for=condition=Established', '--timeout=5s');
    await ok('wait', 'device/c1', '--for=jsonpath={.spec.nodeName}=edge-a', '--timeout=5s');
    await ok('create', 'configmap', 'soon-gone');
    const waiting = kubectl.run(['wait', 'cm/soon-gone', '--for=delete', '--timeout=10s']);
    await ok('delete', 'cm', 'soon-gone');

    assert.equal((await waiting).code, 0);
  });

  it('runs, shows and deletes pods', async () => {
    await ok('run', 'web', '--image=busybox:local', '--overrides={"spec":{"nodeName":"n1"}}');

    assert.match(await ok('get', 'pods', '-o', 'wide'), /^web +0\/1 +Pending +0 +\d+s +<none> +n1 /m);
    assert.equal(await ok('get', 'pods', '--field-selector=spec.nodeName=n2', '-o', 'name'), '');
    await ok('delete', 'pod', 'web', '--grace-period=0', '--force');
  });

  it('answers readyz, version and cluster-info', async () => {
    assert.equal(await ok('get', '--raw', '/readyz'), 'ok');
    assert.match(await ok('version'), /Server Version: v1\.32\.0\+skerry/);
    assert.match(await ok('cluster-info'), /Kubernetes control plane.*is running at/);
  });

  it('deletes a definition with its objects', async () => {
    await ok('delete', '-f', CRDS);

    assert.match(
      (await kubectl.run(['get', 'devices'])).stderr,
      /the server doesn't have a resource type "devices"|could not find/,
    );
    await ok('apply', '-f', CRDS);
    assert.equal(await ok('get', 'devices', '-o', 'name'), '');
  });

  it('leaves the watch alone when kubectl goes', async () => {
    const child = kubectl.follow(['get', 'nodes', '-w']);
    await once(child.stdout ?? child, 'data');
    child.kill();
    await once(child, 'exit');

    assert.equal(await ok('get', '--raw', '/livez'), 'ok');
  });
});
