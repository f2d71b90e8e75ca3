import assert from 'node:assert/strict';
import { Socket } from 'node:net';
import { test } from 'node:test';
import { Connections } from '../../../broker/connections.ts';
import { DEFAULT_LIMITS } from '../../../broker/index.ts';

const LIMITS = { ...DEFAULT_LIMITS, connections: 3, addressConnections: 2 };

/** As one that came from there. */
function socketFrom(address: string): Socket {
  return Object.defineProperty(new Socket(), 'remoteAddress', { value: address });
}

function open(): { readonly connections: Connections; readonly come: (address: string) => Socket } {
  const connections = new Connections(LIMITS, { onRefused: () => undefined });
  const come = (address: string): Socket => {
    const socket = socketFrom(address);
    connections.greet(socket);
    connections.add(socket, { socket });
    return socket;
  };
  return { connections, come };
}

void test('an address has so many clients and no more, whichever way it is written, and others are not concerned', () => {
  const { connections, come } = open();

  const answers = ['192.0.2.7', '::ffff:192.0.2.7', '192.0.2.7', '192.0.2.8'].map((one) =>
    connections.admit(come(one)),
  );

  assert.deepEqual(answers, [undefined, undefined, 'address-connections', undefined]);
});

void test('a client that takes its own place needs no other, neither in all nor at its address', () => {
  const { connections, come } = open();
  const [first] = ['192.0.2.7', '192.0.2.7', '192.0.2.8'].map((one) => {
    const socket = come(one);
    connections.admit(socket);
    return socket;
  });

  assert.equal(connections.admit(come('192.0.2.7')), 'connections');
  assert.equal(connections.admit(come('192.0.2.7'), first), undefined);
});

void test('a place is free again when its connection is closed, and only one that was admitted had one', async () => {
  const { connections, come } = open();
  const admitted = ['192.0.2.1', '192.0.2.2', '192.0.2.3'].map(come);
  for (const socket of admitted) connections.admit(socket);
  come('192.0.2.4').destroy();
  admitted[0]?.destroy();
  await new Promise(setImmediate);

  assert.equal(connections.admitted, 2);
  assert.equal(connections.admit(come('192.0.2.5')), undefined);
});
