// The page about the edge node's HTTP address, held against the code: the same routes, and each answers as the page says.
import assert from 'node:assert/strict';
import { request } from 'node:http';
import { test } from 'node:test';
import { EdgeAdmin } from '../../../src/edge/admin/edge-admin.ts';
import { silentLogger } from '../../../src/kit/logger.ts';
import { codes, tableRows } from '../../architecture/docs.ts';
import { waitUntil } from '../../support/wait-until.ts';
import { BOILER, EdgeWorld, report, UPDATE } from './edge-world.ts';

const PAGE = 'docs/reference/edge-http.md';

const rows = tableRows(PAGE).map(([asked, answer = '']) => ({ asked: codes(asked)[0] ?? '', answer }));

void test('the page lists what is answered, and nothing else', () => {
  const nobody = Promise.resolve({ kind: 'unknown' } as const);
  const nothing = Promise.resolve(undefined);
  const admin = new EdgeAdmin(
    { http: { host: '127.0.0.1', port: 0 } },
    {
      healths: () => ({}),
      status: () => ({ node: '', isLinked: false, backlog: 0, clients: 0, indexGeneration: 0 }),
      metrics: [],
      twins: {
        list: () => [],
        read: () => undefined,
        setDesired: () => nobody,
        release: () => nobody,
        past: { at: () => nothing, entries: () => nothing, properties: () => undefined },
      },
      logger: silentLogger,
    },
  );
  const listed = rows.map(({ asked }) => asked.replace(/\?.*/, ''));

  assert.deepEqual([...new Set(listed)].sort(), [...admin.routes].sort());
});

interface Answered {
  readonly status: number;
  readonly type: string | null;
  readonly text: string;
}

/** A request of the page, about the boiler's setpoint, now. */
async function ask(world: EdgeWorld, asked: string): Promise<Answered> {
  const [method = '', path = ''] = asked.split(' ');
  const filled = path
    .replace('<namespace>', BOILER.namespace)
    .replace('<device>', BOILER.name)
    .replace('<property>', 'setpoint')
    .replace('<time>', new Date().toISOString());
  const body = method === 'PUT' ? '55' : null;
  const answer = await fetch(`${world.edge?.addresses.http ?? ''}${filled}`, { method, body });
  return { status: answer.status, type: answer.headers.get('content-type'), text: await answer.text() };
}

const bodyOf = ({ text }: Answered): Record<string, unknown> => JSON.parse(text) as Record<string, unknown>;

async function openWithBoiler(): Promise<EdgeWorld> {
  const world = await EdgeWorld.open();
  await world.startEdge();
  await world.put(BOILER);
  await waitUntil('the boiler', async () => (await ask(world, 'GET /twins/<namespace>/<device>')).status === 200);
  const client = await world.client();
  await client.publishAsync(UPDATE, report('setpoint', 60), { qos: 1 });
  await client.publishAsync(UPDATE, report('setpoint', 61), { qos: 1 });
  return world;
}

void test('every request of the page is answered 200, in JSON but for metrics', async () => {
  await using world = await openWithBoiler();

  for (const { asked } of rows) {
    const { status, type, text } = await ask(world, asked);

    assert.equal(status, 200, `${asked}: ${text}`);
    if (asked === 'GET /metrics') assert.match(type ?? '', /^text\/plain/);
    else assert.equal(type, 'application/json', asked);
  }
});

void test('an answer has the fields that its line on the page names', async () => {
  await using world = await openWithBoiler();
  const named = rows.filter(({ answer }) => codes(answer).length > 0);
  assert.ok(named.length >= 2, 'no line names a field');

  for (const { asked, answer } of named) {
    const fields = Object.keys(bodyOf(await ask(world, asked)));

    for (const field of codes(answer)) assert.ok(fields.includes(field), `${asked} has no ${field}`);
  }
});

void test('a wish over HTTP counts until it is deleted, and deleting it again is refused', async () => {
  await using world = await openWithBoiler();
  const desired = (answered: Answered): unknown =>
    (bodyOf(answered)['properties'] as Record<string, { desired?: { value: string } }>)['setpoint']?.desired?.value;
  const property = '/twins/<namespace>/<device>/<property>';

  const set = await ask(world, `PUT ${property}`);
  const released = await ask(world, `DELETE ${property}`);
  const again = await ask(world, `DELETE ${property}`);

  assert.deepEqual([desired(set), desired(released), again.status], ['55', '70', 400]);
  assert.equal(typeof bodyOf(again)['reason'], 'string');
});

void test('history takes since and limit, and says what it cut', async () => {
  await using world = await openWithBoiler();
  const history = 'GET /history/default/boiler/setpoint';

  const newest = bodyOf(await ask(world, `${history}?limit=1`));
  const later = bodyOf(await ask(world, `${history}?since=2999-01-01T00:00:00Z`));

  const [entry] = newest['entries'] as Record<string, unknown>[];
  assert.deepEqual([entry?.['kind'], entry?.['value'], newest['isCut']], ['reported', '61', true]);
  assert.deepEqual([later['entries'], later['isCut']], [[], false]);
  for (const wrong of ['limit=10001', 'limit=0', 'since=yesterday'])
    assert.equal((await ask(world, `${history}?${wrong}`)).status, 400, wrong);
});

const REFUSED: readonly (readonly [asked: string, status: number])[] = [
  ['GET /nothing', 404],
  ['GET /twins/default/nobody', 404],
  ['GET /history/default/nobody', 404],
  ['PUT /twins/default/nobody/setpoint', 404],
  ['GET /%zz', 404],
  ['POST /twins', 405],
  ['GET /twins/default/boiler/setpoint', 405],
  ['PUT /twins/default/boiler/count', 400],
  ['GET /twins/default/boiler?at=noon', 400],
];

void test('what is refused is told why, with its status', async () => {
  await using world = await openWithBoiler();

  for (const [asked, status] of REFUSED) {
    const answered = await ask(world, asked);

    assert.equal(answered.status, status, asked);
    assert.deepEqual(Object.keys(bodyOf(answered)), ['reason'], asked);
  }
});

void test('a request for another host than the node is answered 421', async () => {
  await using world = await openWithBoiler();

  const status = await new Promise<number | undefined>((resolve, reject) => {
    const headers = { host: 'rebound.example:80' };
    const asked = request(`${world.edge?.addresses.http ?? ''}/twins`, { headers }, (response) => {
      response.resume();
      resolve(response.statusCode);
    });
    asked.once('error', reject).end();
  });

  assert.equal(status, 421);
});
