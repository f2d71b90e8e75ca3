// As a user of the MQTT broker: what is another device's.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { IClientOptions } from 'mqtt';
import { WebSocket } from 'ws';
import { outsideAddress } from '../support/outside-address.ts';
import { waitUntil } from '../support/wait-until.ts';
import type { Attack } from './attack.ts';
import type { AttackedSite } from './attacked-site.ts';

const DEVICES = '$hw/events/device';
const DELTA = `${DEVICES}/default/valve/twin/update/delta`;
const VALUE = '{"twin":{"count":{"actual":{"value":"666"}}}}';

const denied = (what: string, action: string, attempt: Attack['attempt']): Attack => ({
  ...{ door: 'MQTT', what, attempt },
  counted: { at: 'edge', name: 'skerry_broker_denied_total', series: `action="${action}"` },
  logged: { publish: /may not publish/, subscribe: /may not subscribe/, will: /may not leave/ }[action] ?? /denied/,
});

const keptOut = (what: string, reason: string, attempt: Attack['attempt']): Attack => ({
  ...{ door: 'MQTT', what, attempt },
  counted: { at: 'edge', name: 'skerry_broker_refused_connections_total', series: `reason="${reason}"` },
  logged: new RegExp(`"reason":"${reason}"|"refusal":"${reason}"|${reason}`),
});

const publishing = (what: string, topic: string, payload = VALUE, retain = false): Attack =>
  denied(what, 'publish', async (site) => {
    const client = await site.mqtt('pump');
    client.on('error', () => undefined);
    const cut = new Promise((resolve) => client.once('close', () => resolve('cut')));
    client.publish(topic, payload, { qos: 1, retain });
    await cut;
    await client.endAsync(true);
  });

const listening = (what: string, filter: string): Attack =>
  denied(what, 'subscribe', async (site) => {
    const client = await site.mqtt('pump');
    const heard: string[] = [];
    client.on('message', (topic) => heard.push(topic));
    const granted = await client.subscribeAsync(filter, { qos: 1 }).catch(() => []);
    assert.ok(
      granted.every(({ qos }) => qos >= 128),
      `granted: ${JSON.stringify(granted)}`,
    );
    await client.endAsync(true);
    assert.deepEqual(heard, []);
  });

const refused = (site: AttackedSite, user: string | undefined, more: IClientOptions, host?: string): Promise<void> =>
  assert.rejects(site.mqtt(user, more, host));

const leaving = (what: string, topic: string): Attack =>
  denied(what, 'will', (site) =>
    refused(site, 'pump', { will: { topic, payload: Buffer.from(VALUE), qos: 1, retain: true } }),
  );

export const CROSSING: readonly Attack[] = [
  publishing('values of another device', `${DEVICES}/default/valve/twin/update`),
  publishing('values of another device, by its short name', `${DEVICES}/valve/twin/update`),
  publishing('the state of another device', `${DEVICES}/default/valve/state/update`),
  publishing('asking for the twin of another device', `${DEVICES}/default/valve/twin/get`, '{}'),
  publishing('a retained message for another device', DELTA, VALUE, true),
  publishing('clearing what is retained for another device', DELTA, '', true),
  publishing('the mapper of another device', '$skerry/mapper/virtual/default/valve'),
  listening('another device by its name', DELTA),
  listening('every device of a namespace, by +', `${DEVICES}/default/+/twin/update/delta`),
  listening('that device in every namespace, by +', `${DEVICES}/+/valve/twin/update/delta`),
  listening('all of another device, by #', `${DEVICES}/default/valve/#`),
  listening('every device, by #', `${DEVICES}/#`),
  listening('everything, by #', '$hw/#'),
  listening('another device, by $share', `$share/group/${DELTA}`),
  listening('every device, by $share', `$share/group/${DEVICES}/#`),
  leaving('a will as another device', `${DEVICES}/default/valve/state/update`),
  leaving('a will as another device, by its short name', `${DEVICES}/valve/twin/update`),
];

export const ENTERING_MQTT: readonly Attack[] = [
  keptOut('a wrong password', 'credentials', (site) => refused(site, 'pump', { password: 'a guess' })),
  keptOut('a user that is none', 'credentials', (site) => refused(site, 'nobody', {})),
  keptOut('no name, from another machine', 'credentials', (site) => refused(site, undefined, {}, outsideAddress())),
  keptOut('the client id of another user', 'client-id-taken', async (site) => {
    const owner = await site.mqtt('valve', { clientId: 'valve-1', clean: false });
    await refused(site, 'pump', { clientId: 'valve-1' });
    assert.ok(owner.connected);
    await owner.endAsync();
  }),
  keptOut('a web page from elsewhere', 'origin', async (site) => {
    const page = new WebSocket(`ws://127.0.0.1:${site.mqttPort('mqttWs')}`, 'mqtt', { origin: 'https://evil.example' });
    const [error] = (await once(page, 'error')) as [Error];
    assert.match(error.message, /403/);
  }),
  keptOut('a web page from elsewhere, under TLS', 'origin', async (site) => {
    const url = `wss://127.0.0.1:${site.mqttPort('mqttWss')}`;
    const page = new WebSocket(url, 'mqtt', { origin: 'https://evil.example', ca: site.caOf('edge') });
    const [error] = (await once(page, 'error')) as [Error];
    assert.match(error.message, /403/);
  }),
];

/** Neither retained for it nor in its twin. */
export async function nothingOfTheValveWasHeard(site: AttackedSite): Promise<void> {
  const valve = await site.mqtt('valve');
  const heard: string[] = [];
  valve.on('message', (topic, payload) => heard.push(`${topic} ${payload.toString()}`));
  await valve.subscribeAsync([DELTA, `${DEVICES}/default/valve/twin/get/result`], { qos: 1 });
  await valve.publishAsync(`${DEVICES}/default/valve/twin/get`, '{}', { qos: 1 });
  await waitUntil('the twin of the valve', () => heard.some((line) => line.includes('/twin/get/result')));
  await valve.endAsync();
  assert.ok(!heard.some((line) => line.includes('666')), heard.join('\n'));
}
