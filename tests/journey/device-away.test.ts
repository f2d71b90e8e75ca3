// What a person sees of a device that goes: with kubectl, while its client is killed, comes back, and the node is killed under it.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { test } from 'node:test';
import { Kubectl } from '../support/kubectl.ts';
import { SmallSite } from '../support/small-site.ts';
import { waitUntil } from '../support/wait-until.ts';

/** A device that does nothing but hold its connection, until it is killed. */
function hold(site: SmallSite, id: string): Disposable & { readonly pid: number } {
  const { hostname, port } = new URL(site.mqttUrl);
  const args = ['-h', hostname, '-p', port, '-V', 'mqttv311', '-i', id, '-t', 'nothing'];
  const child = spawn('mosquitto_sub', args, { stdio: 'ignore' });
  return { pid: child.pid ?? -1, [Symbol.dispose]: () => child.kill('SIGKILL') };
}

test('kubectl shows a device online, offline when its client is killed, online when it is back; a killed node misses who does not return', async () => {
  await using site = await SmallSite.start(['pump', 'fan']);
  const kubectl = new Kubectl(site.kubeconfig);
  const rows = async (): Promise<string[][]> => {
    const { stdout } = await kubectl.run(['get', 'devices', '--no-headers']);
    return stdout
      .trim()
      .split('\n')
      .map((line) => line.split(/\s{2,}/));
  };
  const row = async (name: string): Promise<string[]> => (await rows()).find(([first]) => first === name) ?? [];
  const shows = (name: string, state: string, patience = 15_000): Promise<unknown> =>
    waitUntil(`${name} to be ${state}`, async () => (await row(name)).includes(state), patience);
  const { stdout: header } = await kubectl.run(['get', 'devices']);
  assert.match(header, /^NAME +NODE +PROTOCOL +STATE +VALUES +LAST SEEN +AGE\n/);

  using fan = hold(site, 'fan');
  {
    using pump = hold(site, 'default/pump');
    assert.ok(pump.pid > 0);
    await shows('pump', 'online');
  }
  await shows('pump', 'offline');
  assert.match(
    (await row('pump')).join('|'),
    /^pump\|site\|virtualProtocol\|offline\|.*\d+s\|/,
    'with the time it was seen',
  );
  assert.ok((await row('fan')).includes('online'));
  assert.ok(fan.pid > 0);
  const { stdout: events } = await kubectl.run(['get', 'events', '--no-headers']);
  assert.match(events, /Warning +DeviceOffline +device\/pump +the device is offline: its MQTT client is gone/);

  {
    using pump = hold(site, 'pump');
    assert.ok(pump.pid > 0);
    await shows('pump', 'online');
    // Long enough for the twin to name it.
    await waitUntil('a second', async () => (await row('pump')).some((cell) => /^[1-9]\d*s$/.test(cell)));
    await site.edge.kill();
  }
  await site.startEdge();
  await shows('pump', 'offline', 45_000);
  await shows('fan', 'online');
});
