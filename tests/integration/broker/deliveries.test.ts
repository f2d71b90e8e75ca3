import assert from 'node:assert/strict';
import { test } from 'node:test';
import { connectAsync } from 'mqtt';
import { brokerErrors } from '../../../broker/errors.ts';
import { waitUntil } from '../../support/wait-until.ts';
import { startBroker } from './running-broker.ts';

void test('a retained publication that a later one overtakes reaches those who listen to both', async () => {
  await using running = await startBroker();
  const heard: string[] = [];
  const client = await connectAsync(`mqtt://127.0.0.1:${running.port}`);
  client.on('message', (topic) => heard.push(topic));
  await client.subscribeAsync('news/#', { qos: 1 });

  for (let n = 0; n < 10; n += 1) {
    running.broker.publishSoon(`news/kept/${n}`, 'a', { retain: true });
    running.broker.publishSoon(`news/passing/${n}`, 'b');
  }
  await client.publishAsync('news/end', '', { qos: 1 });

  await waitUntil('the end', () => heard.includes('news/end'));
  assert.equal(heard.length, 21);
  await client.endAsync(true);
});

void test('a client whose subscriptions overlap gets each publication once', async () => {
  await using running = await startBroker();
  const heard: string[] = [];
  const client = await connectAsync(`mqtt://127.0.0.1:${running.port}`);
  client.on('message', (topic) => heard.push(topic));
  await client.subscribeAsync(['news/#', 'news/+', 'news/a'], { qos: 1 });

  for (const retain of [true, false]) running.broker.publishSoon('news/a', 'x', { retain });
  running.broker.publishSoon('news/b', 'x');
  await client.publishAsync('news/end', '', { qos: 1 });

  await waitUntil('the end', () => heard.includes('news/end'));
  assert.deepEqual(heard.toSorted(), ['news/a', 'news/a', 'news/b', 'news/end']);
  await client.endAsync(true);
});

void test('a topic longer than MQTT allows is refused to whoever publishes it here, and reaches nobody', async () => {
  await using running = await startBroker();
  const client = await connectAsync(`mqtt://127.0.0.1:${running.port}`, { reconnectPeriod: 0 });
  const heard: string[] = [];
  client.on('message', (topic) => heard.push(topic));
  await client.subscribeAsync('#', { qos: 1 });
  // Bytes count, not characters.
  const [longest, longer] = ['é'.repeat(32_767), 'é'.repeat(32_768)];

  await assert.rejects(running.broker.publish(longer, ''), (error) => brokerErrors.BROKER_TOPIC_TOO_LONG.is(error));
  running.broker.publishSoon(longer, '');
  await running.broker.publish(longest, '');

  await waitUntil('the longest', () => heard.length > 0);
  assert.deepEqual(heard, [longest]);
  await client.endAsync(true);
});
