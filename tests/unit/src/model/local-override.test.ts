import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { PropertyDefinition } from '../../../../src/model/device.ts';
import { tableRows } from '../../../architecture/docs.ts';
import { OverrideWorld } from './override-world.ts';

const STATUS: PropertyDefinition = { name: 'status', type: 'STRING', accessMode: 'ReadWrite', desired: 'OFF' };
const LABEL: PropertyDefinition = { name: 'label', type: 'STRING', accessMode: 'ReadWrite' };

interface Case {
  readonly name: string;
  readonly happens: (world: OverrideWorld) => void;
}

const afterwards = (name: string, happens: (world: OverrideWorld) => void): Case => ({
  name,
  happens: (world) => {
    world.set('status', 'ON');
    happens(world);
  },
});

const BOUND_ANEW = 'The Device was bound to another node and back while this one was offline';

/** In each, the cloud wants OFF and the node was told to want ON, unless the case says otherwise. */
const CASES: readonly Case[] = [
  afterwards('Nothing else happens', () => undefined),
  afterwards('The device reports what the node wants', (world) => world.report('status', 'ON')),
  afterwards('The node is told AUTO after that', (world) => world.set('status', 'AUTO')),
  {
    name: 'The cloud wanted nothing',
    happens: (world) => {
      world.cloud('status', undefined);
      world.sync();
      world.set('status', 'ON');
    },
  },
  afterwards('The cloud changes another property', (world) => {
    world.cloud('label', 'north');
    world.sync();
  }),
  afterwards('The cloud says OFF once more', (world) => {
    world.cloud('status', 'OFF');
    world.sync();
  }),
  afterwards('The cloud says AUTO', (world) => {
    world.cloud('status', 'AUTO');
    world.sync();
  }),
  afterwards('The cloud says ON, by `skerry twin accept` for one', (world) => {
    world.cloud('status', 'ON');
    world.sync();
  }),
  afterwards('The cloud takes its value back', (world) => {
    world.cloud('status', undefined);
    world.sync();
  }),
  {
    name: 'The cloud says AUTO while the node is offline, and the node is told ON after that',
    happens: (world) => {
      world.cloud('status', 'AUTO');
      world.set('status', 'ON');
      world.sync();
    },
  },
  {
    name: 'Both say ON while the node is offline',
    happens: (world) => {
      world.cloud('status', 'ON');
      world.set('status', 'ON');
      world.sync();
    },
  },
  {
    name: 'The cloud says AUTO and OFF again while the node is offline',
    happens: (world) => {
      world.cloud('status', 'AUTO');
      world.set('status', 'ON');
      world.cloud('status', 'OFF');
      world.sync();
    },
  },
  afterwards('The node is told OFF, what the cloud wants', (world) => world.set('status', 'OFF')),
  afterwards('`skerry twin reset` at the node', (world) => world.reset('status')),
  {
    name: '`skerry twin reset` where the cloud wanted nothing',
    happens: (world) => {
      world.cloud('status', undefined);
      world.sync();
      world.set('status', 'ON');
      world.reset('status');
    },
  },
  afterwards('A client at the node removes the property with `null`', (world) => world.remove('status')),
  {
    name: 'A client removes it with `null` where the cloud wanted nothing',
    happens: (world) => {
      world.cloud('status', undefined);
      world.sync();
      world.set('status', 'ON');
      world.remove('status');
    },
  },
  afterwards('A client removes it with `null`, and it is not optional', (world) => {
    world.require('status');
    world.remove('status');
  }),
  afterwards('The property is taken out of the DeviceModel', (world) => {
    world.define(world.properties.filter(({ name }) => name !== 'status'));
    world.sync();
  }),
  afterwards('The DeviceModel makes the property ReadOnly', (world) => {
    world.define([LABEL, { name: 'status', type: 'STRING', accessMode: 'ReadOnly' }]);
    world.sync();
  }),
  afterwards('The Device is deleted and applied again', (world) => {
    world.makeAgain();
    world.sync();
  }),
  afterwards(BOUND_ANEW, (world) => {
    world.bindAnew();
    world.sync();
  }),
  afterwards('The node is killed and started again', (world) => world.restartNode()),
  afterwards('The disk of the node is lost', (world) => world.wipeNode()),
  afterwards('The hub is killed and started again', (world) => world.restartHub()),
];

function rowOf({ name, happens }: Case): readonly string[] {
  const world = new OverrideWorld([LABEL, STATUS]);
  happens(world);
  world.restartHub();
  const event = world.events.length === 0 ? '' : `\`${world.events.join('`, `')}\``;
  return [name, world.desired['status'] ?? 'nothing', world.condition, event];
}

const GUIDE = 'docs/guides/local-override.md';
const listed = tableRows(GUIDE, 'The cases');

void test('the guide lists the cases that are tried, and no others', () => {
  assert.deepEqual(
    listed.map(([name]) => name),
    CASES.map(({ name }) => name),
  );
});

for (const one of CASES) {
  void test(`what the guide says of a local override comes true: ${one.name}`, () => {
    assert.deepEqual(
      rowOf(one),
      listed.find(([name]) => name === one.name),
    );
  });
}

void test('an override over an override still has the revision of the cloud that the first was based on', () => {
  const world = new OverrideWorld([LABEL, STATUS]);
  const base = world.revisionOf('status');

  world.set('status', 'ON');
  world.cloud('label', 'north');
  world.sync();
  world.set('status', 'AUTO');

  assert.equal(world.revisionOf('status'), base);
});
