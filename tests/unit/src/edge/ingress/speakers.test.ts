// Who is remembered: clients that are connected, or speak for a device; whatever the order in which they come, speak and go.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Speakers, type Spoken } from '../../../../../src/edge/ingress/speakers.ts';

interface Device extends Spoken<Device> {
  readonly name: string;
}

const step = fc.record({
  what: fc.constantFrom('come', 'go', 'speak', 'release'),
  id: fc.constantFrom('one', 'two', 'three'),
  place: fc.nat(3),
});

void test('a client is remembered exactly while it is connected or speaks for a device, and each device has one speaker', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const speakers = new Speakers<Device>();
      const devices = ['a', 'b', 'c', 'd'].map((name): Device => ({ name, speaker: undefined }));
      const connected = new Set<string>();
      const speaking = new Map<Device, string>();
      for (const { what, id, place } of steps) {
        const device = devices[place];
        assert.ok(device !== undefined);
        const client = speakers.known(id);
        if (what === 'come') {
          speakers.of(id).isConnected = true;
          connected.add(id);
        } else if (what === 'release') {
          speakers.release(device);
          speaking.delete(device);
        } else if (client !== undefined && what === 'speak') {
          speakers.speaksFor(client, device);
          speaking.set(device, id);
        } else if (client !== undefined) {
          client.isConnected = false;
          speakers.dropIdle(client);
          connected.delete(id);
        }
        assert.equal(speakers.count, new Set([...connected, ...speaking.values()]).size);
        for (const one of devices) assert.equal(one.speaker?.id, speaking.get(one));
        for (const name of ['one', 'two', 'three']) assert.equal(speakers.isConnected(name), connected.has(name));
      }
    }),
  );
});

void test('who speaks for a second device is a mapper, and stays one when it speaks for one alone again', () => {
  const speakers = new Speakers<Device>();
  const [a, b]: [Device, Device] = [
    { name: 'a', speaker: undefined },
    { name: 'b', speaker: undefined },
  ];
  const client = speakers.of('m');
  speakers.speaksFor(client, a);
  assert.equal(client.isMapper, false);
  speakers.speaksFor(client, b);
  speakers.release(b);
  assert.equal(client.isMapper, true);
});
