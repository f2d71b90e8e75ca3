// Debian's mosquitto clients: written by others, against another broker.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { waitUntil } from '../../support/wait-until.ts';
import { mosquitto as run } from './mosquitto.ts';
import { startBroker, TWIN_UPDATE } from './running-broker.ts';

const publish = (
  port: number,
  qos: string,
  topic: string,
  message: string,
  ...more: string[]
): Promise<number | null> => run('mosquitto_pub', port, '-q', qos, '-t', topic, '-m', message, ...more).exit;

for (const qos of ['0', '1', '2'])
  void test(`mosquitto_pub reaches mosquitto_sub at QoS ${qos}`, async () => {
    await using running = await startBroker();
    const subscriber = run('mosquitto_sub', running.port, '-q', qos, '-t', `${TWIN_UPDATE}/#`, '-C', '1', '-d');
    await waitUntil('the subscription', () => subscriber.output().includes('SUBACK'));

    assert.equal(await publish(running.port, qos, TWIN_UPDATE, 'from mosquitto'), 0);

    assert.equal(await subscriber.exit, 0);
    assert.match(subscriber.output(), /from mosquitto/);
    assert.equal(running.gate.asked.length, 1);
  });

void test('a persistent session gets in order what was published while it was away', async () => {
  await using running = await startBroker();
  const session = ['-c', '-i', 'keeper', '-q', '1', '-t', 'news/#'];
  const first = run('mosquitto_sub', running.port, ...session, '-E');
  assert.equal(await first.exit, 0);

  for (const message of ['one', 'two']) await publish(running.port, '1', 'news/today', message);
  await running.broker.publish('news/inside', 'three');
  await publish(running.port, '0', 'news/today', 'unkept');

  const second = run('mosquitto_sub', running.port, ...session, '-C', '3');
  assert.equal(await second.exit, 0);
  assert.deepEqual(second.output().trim().split('\n'), ['one', 'two', 'three']);
});

void test('retained messages are found by who comes later, and an empty one clears them', async () => {
  await using running = await startBroker();
  await running.broker.publish('$skerry/mapper/virtualProtocol/default/counter', 'definition', { retain: true });

  const reader = run('mosquitto_sub', running.port, '-t', '$skerry/mapper/virtualProtocol/#', '-C', '1', '-F', '%r %p');
  assert.equal(await reader.exit, 0);
  assert.equal(reader.output().trim(), '1 definition');

  await running.broker.publish('$skerry/mapper/virtualProtocol/default/counter', '', { retain: true });
  const later = run('mosquitto_sub', running.port, '-t', '$skerry/mapper/#', '-W', '1', '-F', '%p');
  await later.exit;
  assert.equal(later.output().replace('Timed out', '').trim(), '');
});
