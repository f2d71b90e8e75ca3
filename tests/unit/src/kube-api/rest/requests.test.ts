import assert from 'node:assert/strict';
import { test } from 'node:test';
import { wantedForm } from '../../../../../src/kube-api/rest/accept.ts';
import { decodeToken, encodeToken } from '../../../../../src/kube-api/rest/continue-token.ts';
import { decodeProtobuf } from '../../../../../src/kube-api/rest/protobuf.ts';
import { parseResourcePath } from '../../../../../src/kube-api/rest/resource-path.ts';
import { isAllowed } from '../../../../../src/kube-api/security/authentication.ts';
import { StatusError } from '../../../../../src/kube-api/status.ts';
import { collectionOf } from '../../../../../src/kube-api/storage/store-keys.ts';

test('paths name kinds, namespaces, objects and their parts', () => {
  const read = (path: string): string => {
    const found = parseResourcePath(path);
    return found === undefined
      ? 'none'
      : [found.group, found.version, found.plural, found.namespace, found.name, found.subresource].join('|');
  };

  assert.equal(read('/api/v1/nodes'), '|v1|nodes|||');
  assert.equal(read('/api/v1/namespaces'), '|v1|namespaces|||');
  assert.equal(read('/api/v1/namespaces/a'), '|v1|namespaces||a|');
  assert.equal(read('/api/v1/namespaces/a/status'), '|v1|namespaces||a|status');
  assert.equal(read('/api/v1/namespaces/a/pods'), '|v1|pods|a||');
  assert.equal(read('/apis/g.io/v1/namespaces/a/things/b/status'), 'g.io|v1|things|a|b|status');
  for (const path of [
    '/',
    '/api',
    '/apis',
    '/api/v1',
    '/apis/g.io',
    '/apis/g.io/v1',
    '/api/v1/pods/%2Fetc',
    '/api/v1/a/b/c/d',
    '/api/v1/%ZZ',
  ]) {
    assert.equal(read(path), 'none', path);
  }
});

test('the first acceptable form in the header counts', () => {
  const forms = ['json', 'table'] as const;

  assert.equal(wantedForm('application/json;as=Table;v=v1;g=meta.k8s.io,application/json', forms), 'table');
  assert.equal(wantedForm('application/vnd.kubernetes.protobuf, */*', forms), 'json');
  assert.equal(wantedForm(undefined, forms), 'json');
  assert.throws(() => wantedForm('text/html', forms), { code: 406 });
});

test('the token opens everything, and nothing else does', () => {
  assert.ok(isAllowed('/api/v1/secrets', 'Bearer secret', 'secret'));
  assert.ok(isAllowed('/readyz', undefined, 'secret'));
  for (const sent of [undefined, '', 'Bearer', 'Bearer other', 'Basic secret', 'secret'])
    assert.ok(!isAllowed('/api', sent, 'secret'), sent);
});

test('a continue token comes back as it went, and a made-up one is refused', () => {
  const collection = collectionOf('', 'pods');
  const token = { revision: 7, after: { collection, namespace: 'a', name: 'b' } };

  assert.deepEqual(decodeToken(encodeToken(token), collection), token);
  assert.throws(() => decodeToken('made-up', collection), { code: 400 });
});

// The body of `kubectl create configmap x --from-literal=a=b`, recorded from kubectl 1.32.4.
const CONFIG_MAP = Buffer.from(
  '6b3873000a0f0a0276311209436f6e6669674d6170121b0a110a01781200' +
    '1a0022002a00320038004200' +
    '12060a01611201621a002200',
  'hex',
);

test('a config map that kubectl sends as protobuf is read', () => {
  const read = decodeProtobuf(CONFIG_MAP, 'ConfigMap');

  assert.deepEqual(read, { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'x' }, data: { a: 'b' } });
});

test('protobuf that is cut off anywhere is refused or read in part, and other kinds are refused by name', () => {
  for (let length = 0; length < CONFIG_MAP.length; length += 1) {
    try {
      assert.equal(typeof decodeProtobuf(CONFIG_MAP.subarray(0, length), 'ConfigMap'), 'object');
    } catch (error) {
      assert.ok(error instanceof StatusError, String(error));
    }
  }
  const pod = Buffer.from('k8s\0\n\x09\n\x02v1\x12\x03Pod', 'latin1');
  assert.throws(() => decodeProtobuf(pod, 'Pod'), { code: 415, message: /v1 Pod.*protobuf/ });
});
