// What the tables of exchanges cannot hold: the topic of KubeEdge's that names no device, who may speak for the cloud, and where a
// removal goes.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { waitUntil } from '../../support/wait-until.ts';
import { EdgeWorld, BOILER, report, UPDATE } from '../../integration/edge/edge-world.ts';

const QOS1 = { qos: 1 } as const;
const ANONYMOUS = '$hw/events/device//twin/update/result';
const GET = '$hw/events/device/default/boiler/twin/get';

async function withBoiler(world: EdgeWorld) {
  await world.startEdge();
  await world.put(BOILER);
  const heard = await world.listener();
  await heard.first('$skerry/mapper/modbus/default/boiler');
  return { heard, device: await world.client() };
}

test('an update that cannot be read is also answered where KubeEdge answers it, and one with a wrong value is not', async () => {
  await using world = await EdgeWorld.open();
  const { heard, device } = await withBoiler(world);

  await device.publishAsync(UPDATE, '{"event_id":"bad","twin":', QOS1);
  await device.publishAsync(UPDATE, report('count', 'x', 'wrong'), QOS1);
  await device.publishAsync(GET, '{"event_id":"end"}', QOS1);
  await heard.first(`${GET}/result`, '"end"');

  const answers = heard.on(ANONYMOUS).map(({ payload }) => JSON.parse(payload) as Record<string, unknown>);
  assert.equal(answers.length, 1);
  assert.deepEqual([answers[0]?.['event_id'], answers[0]?.['code']], ['', 400]);
  assert.match(String(answers[0]?.['reason']), /^Unmarshal update request body failed, please check the request/);
  assert.equal(heard.on(`${UPDATE}/result`).length, 2);
});

test('a client cannot speak for the cloud: twin/cloud_updated changes nothing', async () => {
  await using world = await EdgeWorld.open();
  const { heard, device } = await withBoiler(world);
  const cloudUpdated = '$hw/events/device/default/boiler/twin/cloud_updated';
  const version = { cloud: 99, edge: 99 };

  const twin = { setpoint: { expected: { value: '1' }, expected_version: version } };
  await device.publishAsync(cloudUpdated, JSON.stringify({ event_id: 'c', twin }), QOS1);
  await device.publishAsync(GET, '{"event_id":"end"}', QOS1);

  const read = await heard.first(`${GET}/result`, '"end"');
  assert.match(JSON.stringify(read['twin']), /"expected":\{"value":"70"/);
  assert.equal(heard.on(cloudUpdated).length, 1);
  assert.equal(heard.on(`${UPDATE}/result`).length, 0);
});

test('a removal reaches the stream once and in order, also over a restart, and what comes back is newer', async () => {
  await using world = await EdgeWorld.open();
  const { device } = await withBoiler(world);
  const removal = (name: string): string => JSON.stringify({ event_id: '', twin: { [name]: null } });

  for (const payload of [report('count', 1), report('count', 2), removal('count'), removal('count')])
    await device.publishAsync(UPDATE, payload, QOS1);
  await device.endAsync();
  await world.stopEdge();
  await world.startEdge();
  const again = await world.client();
  await again.publishAsync(UPDATE, report('count', 3), QOS1);

  await waitUntil('the last value', async () => (await world.reported('count')).includes('3'));
  const events = (await world.upEvents()).filter(({ property }) => property === 'count');
  assert.deepEqual(
    events.map(({ kind, value, version }) => [kind, value, version.n]),
    [
      ['reported', '1', 1],
      ['reported', '2', 2],
      ['removed', '', 3],
      ['reported', '3', 4],
    ],
  );
});

test('a mapper is told type, limits, access and unit of each property', async () => {
  await using world = await EdgeWorld.open();
  await world.startEdge();
  const temp = {
    name: 'temp',
    type: 'FLOAT',
    accessMode: 'ReadOnly',
    minimum: '-40',
    maximum: '85',
    unit: 'C',
  } as const;
  await world.put({ ...BOILER, properties: [temp] });

  const heard = await world.listener('$skerry/mapper/#');

  assert.deepEqual((await heard.first('$skerry/mapper/modbus/default/boiler'))['properties'], [temp]);
});
