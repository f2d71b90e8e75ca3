// G1 seen from outside: the kernel was told to sync the store's log between a device's PUBLISH and its PUBACK.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { connectAsync } from 'mqtt';
import { parser as createParser } from 'mqtt-packet';
import { SmallSite } from '../support/small-site.ts';
import { systemCallsIn, type SystemCall } from '../support/system-calls.ts';
import { tempDir } from '../support/temp-dir.ts';

const CALLS = 'read,write,writev,sendto,sendmsg,recvfrom,fdatasync';

/** Packet id → the call with which the packet was whole. */
function packets(calls: readonly SystemCall[], cmd: 'publish' | 'puback'): Map<number, SystemCall> {
  const found = new Map<number, SystemCall>();
  const parser = createParser({ protocolVersion: 4 });
  let current: SystemCall | undefined;
  parser.on('packet', (packet) => {
    if (packet.cmd === cmd && packet.messageId !== undefined && current !== undefined)
      found.set(packet.messageId, current);
  });
  for (current of calls) parser.parse(current.bytes.subarray(0, current.result));
  return found;
}

test('between a PUBLISH that is read and its PUBACK that is written, the store is synced', async () => {
  await using dir = await tempDir();
  const trace = join(dir.path, 'trace');
  const prefix = ['strace', '-D', '-f', '-yy', '-xx', '-s', '65536', '-o', trace, '-e', `trace=${CALLS}`];
  {
    await using site = await SmallSite.start(['pump'], { hub: {}, edge: { prefix } });
    const client = await connectAsync(site.mqttUrl, { clientId: 'traced' });
    const publish = (n: number): Promise<unknown> =>
      client.publishAsync(
        '$hw/events/device/default/pump/twin/update',
        JSON.stringify({ twin: { count: { actual: { value: String(n) } } } }),
        { qos: 1 },
      );
    for (let n = 0; n < 20; n += 1) await publish(n);
    // Together: they share syncs, and each is acknowledged behind one that began after it was read.
    await Promise.all(Array.from({ length: 100 }, (_, n) => publish(100 + n)));
    await client.endAsync();
  }

  const calls = await systemCallsIn(trace);
  const isLog = ({ name, file, result }: SystemCall): boolean =>
    name === 'fdatasync' && result === 0 && /\/edge\/store\/\d+\.log$/.test(file);
  const syncs = calls.filter(isLog);
  const sockets = new Map<string, SystemCall[]>();
  for (const call of calls)
    if (call.file.startsWith('TCP:') && call.result > 0)
      sockets.set(call.file, [...(sockets.get(call.file) ?? []), call]);
  let checked = 0;
  for (const socket of sockets.values()) {
    const read = socket.filter(({ name }) => name === 'read' || name === 'recvfrom');
    // The device's own connection begins with CONNECT; all others speak something else.
    if (read[0]?.bytes[0] !== 0x10) continue;
    const published = packets(read, 'publish');
    const acknowledged = packets(
      socket.filter((call) => !read.includes(call)),
      'puback',
    );
    for (const [id, { ended }] of published) {
      const puback = acknowledged.get(id) ?? assert.fail(`no PUBACK of ${id} was seen`);
      const between = syncs.some((sync) => sync.begun > ended && sync.ended < puback.begun);
      assert.ok(between, `the PUBACK of ${id} was written without a sync since its PUBLISH was read`);
      checked += 1;
    }
  }
  assert.equal(checked, 120);
});
