// What a server writes for somebody, told from what is written by somebody.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { serverMade, serverMadeBefore } from '../../../../src/nats/server-made.ts';

type Headers = Readonly<Record<string, readonly string[]>>;
const seen = (data: string, headers: Headers = {}) => ({
  data: Buffer.from(data),
  values: (name: string): readonly string[] => headers[name] ?? [],
});

const OTHER = 'skerry.plant-9.up.twin.default.pump';
const ADDED = { 'Nats-Stream': ['skerry-up'], 'Nats-Subject': [OTHER] };
const TWICE = { 'Nats-Stream': ['skerry-up', 'KV_skerry-desired'], 'Nats-Subject': [OTHER, '$KV.own'] };

void test('a message that was handed out to another place bears the place it was taken from', () => {
  assert.deepEqual(serverMade(seen('whatever', ADDED)), { from: OTHER });
  assert.deepEqual(serverMadeBefore(seen('whatever', TWICE)), { from: OTHER });
});

void test('what a server has just handed out to us is no forgery for that', () => {
  assert.equal(serverMadeBefore(seen('whatever', ADDED)), undefined);
});

for (const said of ['{"stream":"skerry-up", "seq":3}', '{"error":{"code":400},"stream":"skerry-up","seq":0}'])
  void test(`what a server says to a publish is told by its form: ${said}`, () => {
    assert.match(serverMade(seen(said))?.from ?? '', /^message \d of skerry-up$/);
    assert.match(serverMadeBefore(seen(said, ADDED))?.from ?? '', /^message \d of skerry-up$/);
  });

void test('nothing else is one, whatever it holds', () => {
  const other = fc.oneof(
    fc.string(),
    fc.json().filter((text) => !text.includes('"stream"')),
  );
  fc.assert(fc.property(other, (data) => assert.equal(serverMade(seen(data)), undefined)));
});
