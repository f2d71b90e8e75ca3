// Who may ask the hub what over HTTP and HTTPS, from this machine and, by its address on the network, as if from another.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AdminServer, type AdminTools } from '../../../src/cloud/admin/admin-server.ts';
import type { HttpRequest, HttpRoute } from '../../../src/cloud/admin/http-route.ts';
import { Deadline } from '../../../src/kit/deadline.ts';
import { seconds } from '../../../src/kit/units.ts';
import { ask, certificateFor, type TestCertificate } from '../../support/https.ts';
import { valueOf } from '../../support/metrics.ts';
import { outsideAddress } from '../../support/outside-address.ts';
import { WarningLog } from '../../support/warning-log.ts';

const TOKEN = 'a-token-of-a-test';
const BEARER = { authorization: `Bearer ${TOKEN}` };

class Site implements AsyncDisposable {
  readonly log = new WarningLog();
  readonly asked: HttpRequest[] = [];
  readonly pair: TestCertificate;
  readonly #server: AdminServer;

  private constructor(pair: TestCertificate, tools: Partial<AdminTools>) {
    this.pair = pair;
    this.#server = new AdminServer(
      { host: '0.0.0.0', port: 0 },
      {
        ...{ parts: () => [], metrics: [], status: () => ({}), logger: this.log, routes: this.routes },
        ...{ certificate: () => Promise.resolve(pair), token: () => Promise.resolve(TOKEN), ...tools },
      },
    );
  }

  static async open(tools: Partial<AdminTools> = {}): Promise<Site> {
    const site = new Site(await certificateFor(outsideAddress()), tools);
    await site.#server.start(new AbortController().signal);
    return site;
  }

  get outside(): string {
    return `https://${outsideAddress()}:${new URL(this.#server.url).port}`;
  }

  get inside(): string {
    return `http://127.0.0.1:${new URL(this.#server.url).port}`;
  }

  get routes(): readonly HttpRoute[] {
    const handle = (request: HttpRequest) => {
      this.asked.push(request);
      return Promise.resolve({ status: 200, body: { heard: request.body } });
    };
    return [
      { method: 'POST', path: '/v1/join', access: 'open', handle },
      {
        ...{ method: 'GET', path: '/v1/ca', access: 'open' },
        handle: () => Promise.resolve({ status: 200, text: 'a certificate' }),
      },
      { method: 'GET', path: '/v1/nodes', access: 'admin', handle },
      {
        ...{ method: 'POST', path: '/v1/broken', access: 'open' },
        handle: () => Promise.reject(new Error(`a thing with ${TOKEN} failed`)),
      },
    ];
  }

  async refusals(reason: string): Promise<number> {
    const { text } = await ask(this.inside, '/metrics');
    return valueOf(text, `skerry_hub_http_refusals_total{reason="${reason}"}`) ?? 0;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.stop(Deadline.after(seconds(2)));
  }
}

void test('over HTTPS and HTTP, one port tells programs of this machine how the hub is', async () => {
  await using site = await Site.open();
  const { ca } = site.pair;

  for (const path of ['/healthz', '/readyz', '/status', '/metrics'])
    for (const base of [site.inside, site.inside.replace('http:', 'https:')])
      assert.equal((await ask(base, path, { ca })).status, 200, `${base}${path}`);
});

void test('from another machine everything but /healthz needs the token, and plain HTTP gets nothing', async () => {
  await using site = await Site.open();
  const { ca } = site.pair;
  const wrong = { authorization: 'Bearer another' };

  for (const path of ['/readyz', '/status', '/metrics', '/v1/nodes', '/nothing', '/../etc/passwd']) {
    assert.equal((await ask(site.outside, path, { ca })).status, 401, path);
    assert.equal((await ask(site.outside, path, { ca, headers: wrong })).status, 401, path);
  }
  for (const path of ['/readyz', '/status', '/metrics', '/v1/nodes'])
    assert.equal((await ask(site.outside, path, { ca, headers: BEARER })).status, 200, path);
  assert.equal((await ask(site.outside, '/healthz', { ca })).status, 200);
  for (const path of ['/healthz', '/metrics', '/v1/join']) {
    const { status, headers } = await ask(site.outside.replace('https:', 'http:'), path, { headers: BEARER });
    assert.deepEqual([status, headers.upgrade], [426, 'TLS/1.2, HTTP/1.1'], path);
  }
});

void test('without a token of the hub no token is right', async () => {
  await using site = await Site.open({ token: () => Promise.resolve('') });
  const { ca } = site.pair;

  for (const headers of [{}, { authorization: 'Bearer ' }, { authorization: 'Bearer undefined' }])
    assert.equal((await ask(site.outside, '/status', { ca, headers })).status, 401);
});

void test('a route gets the body, the address and the name by which it was asked, and only over TLS', async () => {
  await using site = await Site.open();
  const { ca } = site.pair;
  const headers = { host: 'kubernetes.default.svc:8443' };

  const joined = await ask(site.outside, '/v1/join', { ca, headers, method: 'POST', body: '{"node":"n1"}' });
  const plain = await ask(site.inside, '/v1/join', { method: 'POST', body: '{"node":"n1"}' });

  assert.deepEqual([joined.status, JSON.parse(joined.text)], [200, { heard: { node: 'n1' } }]);
  assert.equal(plain.status, 426);
  assert.deepEqual(site.asked, [
    { body: { node: 'n1' }, remoteAddress: outsideAddress(), isTls: true, localHost: 'kubernetes.default.svc' },
  ]);
});

void test('a body that is too large or no JSON reaches no route, whatever length it claims', async () => {
  await using site = await Site.open();
  const { ca } = site.pair;
  const large = JSON.stringify('x'.repeat(64 * 1024));

  const post = async (body: string, headers: Record<string, string> = {}) =>
    (await ask(site.outside, '/v1/join', { ca, headers, method: 'POST', body })).status;

  assert.equal(await post(large), 413);
  assert.equal(await post(large, { 'transfer-encoding': 'chunked' }), 413);
  assert.equal(await post('{'), 400);
  assert.deepEqual(site.asked, []);
  assert.deepEqual([await site.refusals('too-large'), await site.refusals('malformed')], [2, 1]);
});

void test('a route may answer in plain text', async () => {
  await using site = await Site.open();

  const { text, headers } = await ask(site.outside, '/v1/ca', { ca: site.pair.ca });

  assert.deepEqual([text, headers['content-type']], ['a certificate', 'text/plain; charset=utf-8']);
});

void test('another method is answered 405 with those that are allowed', async () => {
  await using site = await Site.open();
  const { ca } = site.pair;

  const deleted = await ask(site.inside, '/healthz', { method: 'DELETE' });
  const got = await ask(site.outside, '/v1/join', { ca });

  assert.deepEqual([deleted.status, deleted.headers.allow], [405, 'GET, HEAD']);
  assert.deepEqual([got.status, got.headers.allow], [405, 'POST']);
  assert.equal((await ask(site.inside, '/healthz', { method: 'HEAD' })).status, 200);
});

void test('every answer, also a refusal, carries the headers that keep a browser from using it', async () => {
  await using site = await Site.open();

  for (const path of ['/healthz', '/nothing']) {
    const { headers } = await ask(site.inside, path);
    assert.equal(headers['x-content-type-options'], 'nosniff', path);
    assert.equal(headers['x-frame-options'], 'DENY', path);
    assert.match(String(headers['content-security-policy']), /default-src 'none'/, path);
    assert.equal(headers['cache-control'], 'no-store', path);
  }
});

void test('a route that fails is answered 500 and tells the visitor nothing of why', async () => {
  await using site = await Site.open();
  const { ca } = site.pair;

  const { status, text } = await ask(site.outside, '/v1/broken', { ca, method: 'POST' });

  assert.equal(status, 500);
  assert.doesNotMatch(text, /a thing/);
  assert.match(site.log.warnings.join('\n'), /a thing with/);
});

void test('who is refused is counted, and named in the log without what was shown', async () => {
  await using site = await Site.open();
  const { ca } = site.pair;

  await ask(site.outside, '/status', { ca, headers: { authorization: 'Bearer guessed' } });
  await ask(site.inside, '/status', { headers: { host: 'rebound.example' } });

  assert.deepEqual([await site.refusals('unauthorized'), await site.refusals('untrusted-host')], [1, 1]);
  const [first = ''] = site.log.warnings;
  assert.match(first, new RegExp(`unauthorized.*${outsideAddress()}.*/status`));
  assert.doesNotMatch(site.log.warnings.join(), /guessed/);
});

const ABOVE = [
  '/..',
  '/../../etc/passwd',
  '/%2e%2e/%2e%2e/etc/passwd',
  '/nodes/..%2f..%2fhttp-token',
  '/healthz/../http-token',
];

void test('a path that climbs leads nowhere', async () => {
  await using site = await Site.open();

  for (const path of [...ABOVE, '/healthz%00', '//etc/passwd', '/healthz/', '/\\..\\http-token'])
    assert.ok([400, 404].includes((await ask(site.inside, path)).status), path);
});
