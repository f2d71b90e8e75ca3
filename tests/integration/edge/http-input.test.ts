// What people and scripts send to the edge node's HTTP address: values as they are, times as they are written, and what is wrong.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EdgeAdmin } from '../../../src/edge/admin/edge-admin.ts';
import type { Wish } from '../../../src/edge/admin/twin-routes.ts';
import { Deadline } from '../../../src/kit/deadline.ts';
import { silentLogger } from '../../../src/kit/logger.ts';
import { seconds } from '../../../src/kit/units.ts';

/** The server, before a node that has one device and remembers what it was asked. */
class Site implements AsyncDisposable {
  readonly wishes: Wish[] = [];
  readonly moments: number[] = [];
  readonly #admin: EdgeAdmin;

  private constructor() {
    this.#admin = new EdgeAdmin(
      { http: { host: '127.0.0.1', port: 0 } },
      {
        healths: () => ({}),
        status: () => ({ node: '', isLinked: false, backlog: 0, clients: 0, indexGeneration: 0 }),
        metrics: [],
        twins: {
          list: () => [],
          read: () => ({}),
          setDesired: (_namespace, _name, wish) => {
            this.wishes.push(wish);
            return Promise.resolve({ kind: 'done', twin: {} });
          },
          release: () => Promise.resolve({ kind: 'done', twin: {} }),
          past: {
            at: (_device, moment) => {
              this.moments.push(moment);
              return Promise.resolve({});
            },
            entries: () => Promise.resolve({ entries: [] }),
            properties: () => ['status', 'count'],
          },
        },
        logger: silentLogger,
      },
    );
  }

  static async start(): Promise<Site> {
    const site = new Site();
    await site.#admin.start(new AbortController().signal);
    return site;
  }

  async put(body: Uint8Array<ArrayBuffer> | string): Promise<{ readonly status: number; readonly reason: unknown }> {
    return answered(await fetch(`${this.#admin.url}/twins/default/boiler/status`, { method: 'PUT', body }));
  }

  async get(path: string): Promise<{ readonly status: number; readonly reason: unknown }> {
    return answered(await fetch(`${this.#admin.url}/${path}`));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#admin.stop(Deadline.after(seconds(5)));
  }
}

async function answered(response: Response): Promise<{ readonly status: number; readonly reason: unknown }> {
  const { reason } = (await response.json()) as { readonly reason?: unknown };
  return { status: response.status, reason };
}

void test('a value above 1 MiB is refused with a sentence, and one of 1 MiB is taken as it is', async () => {
  await using site = await Site.start();
  const most = 'x'.repeat(1024 * 1024);

  for (const length of [1024 * 1024 + 1, 20 * 1024 * 1024]) {
    const { status, reason } = await site.put('x'.repeat(length));
    assert.equal(status, 413);
    assert.match(String(reason), /larger than 1048576 bytes/);
  }
  assert.deepEqual(site.wishes, []);
  assert.equal((await site.put(most)).status, 200);
  assert.equal((await site.put('')).status, 200);
  assert.deepEqual(
    site.wishes.map(({ value }) => value),
    [most, ''],
  );
});

void test('bytes that are no UTF-8 are refused: they would be stored as other ones', async () => {
  await using site = await Site.start();

  const { status, reason } = await site.put(Uint8Array.of(0x4f, 0xff, 0xfe));

  assert.equal(status, 400);
  assert.match(String(reason), /UTF-8/);
  assert.deepEqual(site.wishes, []);
});

void test('the plus of a time zone counts as one, although a query means a space by it', async () => {
  await using site = await Site.start();
  const noon = Date.parse('2026-05-01T12:00:00Z');

  for (const at of ['2026-05-01T14:00:00+02:00', '2026-05-01T14:00:00%2B02:00', '2026-05-01T12:00:00Z'])
    assert.equal((await site.get(`twins/default/boiler?at=${at}`)).status, 200, at);
  assert.equal((await site.get('history/default/boiler?since=2026-05-01T14:00:00+02:00')).status, 200);

  assert.deepEqual(site.moments, [noon, noon, noon]);
});

void test('a day that no calendar has is refused, and not taken for a later one', async () => {
  await using site = await Site.start();

  for (const at of [
    '2026-02-30T00:00:00Z',
    '2026-04-31T12:00:00%2B02:00',
    '2025-02-29T00:00:00Z',
    '2026-05-01T24:00:00Z',
  ])
    assert.equal((await site.get(`twins/default/boiler?at=${at}`)).status, 400, at);
  assert.equal((await site.get('twins/default/boiler?at=2024-02-29T00:00:00Z')).status, 200);
});

void test('the history of a property that the device does not have is refused, naming those it has', async () => {
  await using site = await Site.start();

  const { status, reason } = await site.get('history/default/boiler/statsu');

  assert.equal(status, 404);
  assert.equal(reason, 'the device default/boiler has no property "statsu"; it has status, count');
});
