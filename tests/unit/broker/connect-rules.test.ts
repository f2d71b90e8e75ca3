import assert from 'node:assert/strict';
import { test } from 'node:test';
import { faultOfConnect, lacksClientId } from '../../../broker/connect-rules.ts';

void test('only a clean session of MQTT 3.1.1 needs no client id', () => {
  assert.equal(lacksClientId({ clientId: '', clean: true, protocolVersion: 4 }), false);
  assert.equal(lacksClientId({ clientId: '', clean: false, protocolVersion: 4 }), true);
  assert.equal(lacksClientId({ clientId: '', clean: true, protocolVersion: 3 }), true);
  assert.equal(lacksClientId({ clientId: 'x', clean: false, protocolVersion: 3 }), false);
});

void test('a fault of a CONNECT is named, and one without fault has none', () => {
  const clientId = 'x';
  assert.equal(faultOfConnect({ clientId, username: 'u', password: 'p', will: { topic: 'a', qos: 2 } }), undefined);
  assert.match(faultOfConnect({ clientId, password: 'p' }) ?? '', /3\.1\.2-22/);
  assert.match(faultOfConnect({ clientId, will: { topic: 'a', qos: 3 } }) ?? '', /3\.1\.2-14/);
  assert.match(faultOfConnect({ clientId, will: { topic: 'a/+', qos: 0 } }) ?? '', /3\.3\.2-2/);
  assert.match(faultOfConnect({ clientId, will: { topic: '', qos: 0 } }) ?? '', /4\.7\.3-1/);
  assert.match(faultOfConnect({ clientId, will: { topic: 'a/'.repeat(100), qos: 0 } }) ?? '', /levels/);
});
