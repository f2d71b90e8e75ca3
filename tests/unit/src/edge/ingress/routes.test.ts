import assert from 'node:assert/strict';
import { test } from 'node:test';
import { routesWith, type Route } from '../../../../../src/edge/ingress/routes.ts';

const BOILER = { namespace: 'plant', name: 'boiler' };
const DEFAULT = { namespace: 'default', name: 'boiler' };
const LOCAL: Route = { kind: 'local' };
const UPLOAD: Route = { kind: 'upload' };

const ROUTES: Readonly<Record<string, Route>> = {
  '$hw/events/device/plant/boiler/twin/update': { kind: 'device', device: BOILER, request: 'twin/update' },
  '$hw/events/device/plant/boiler/twin/update/result': LOCAL,
  '$hw/events/node/n1/membership/get': { kind: 'membership', node: 'n1' },
  '$hw/events/node/n1/membership/get/result': LOCAL,
  '$hw/events/node//membership/get': LOCAL,
  // Both forms that KubeEdge documents, each in both address forms.
  '$ke/events/device/boiler/data/update': { kind: 'upload', device: DEFAULT },
  '$ke/events/device/plant/boiler/data/update': { kind: 'upload', device: BOILER },
  '$ke/events/boiler/device/data/update': { kind: 'upload', device: DEFAULT },
  '$ke/events/plant/boiler/device/data/update': { kind: 'upload', device: BOILER },
  '$ke/events/device/device/data/update': { kind: 'upload', device: { namespace: 'default', name: 'device' } },
  '$ke/events/device/data/update': LOCAL,
  '$ke/events/device/a/b/c/data/update': LOCAL,
  '$ke/events/boiler/data/update': LOCAL,
  '$ke/events/device//data/update': LOCAL,
  '$hw/events/upload': UPLOAD,
  '$hw/events/upload/a/b': UPLOAD,
  '$hw/events/uploads': LOCAL,
  'SYS/dis/upload_records': UPLOAD,
  'SYS/dis/upload_records/more': LOCAL,
  'plant/user/a/b': UPLOAD,
  'alarms/fire': UPLOAD,
  alarms: LOCAL,
  'sensors/1': LOCAL,
};

void test('each topic has one way', () => {
  const routeOf = routesWith(['+/user/#', 'alarms/+']);

  for (const [topic, route] of Object.entries(ROUTES)) assert.deepEqual(routeOf(topic), route, topic);
});

void test('where everything is chosen to go up, requests are requests still, and what begins with $ is not everything', () => {
  const routeOf = routesWith(['#']);

  assert.equal(routeOf('$hw/events/device/boiler/twin/get').kind, 'device');
  assert.deepEqual(routeOf('a/b'), UPLOAD);
  assert.deepEqual(routeOf('$hw/other'), LOCAL);
});
