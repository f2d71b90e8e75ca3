// What every service promises (src/kit/service.ts), as tests over a factory.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isAbort } from '../../src/kit/errors.ts';
import type { Service } from '../../src/kit/service.ts';
import { stopsByItself } from '../support/stops.ts';
import { waitUntil } from '../support/wait-until.ts';

/** One service with the neighbours it needs; they are let go after it. */
export interface ServiceUnderTest extends AsyncDisposable {
  create(): Service;
}

const NEVER = new AbortController().signal;

/** Work that ends by itself, be it the test runner's. */
const PASSING = /^(FSReq|Immediate)/;

/** Kinds of open handles. */
const openHandles = (): string[] =>
  process
    .getActiveResourcesInfo()
    .filter((kind) => !PASSING.test(kind))
    .toSorted();

/** Handles beyond those of before; one of an earlier test may have been closing then. */
function added(before: readonly string[]): string[] {
  const left = [...before];
  return openHandles().filter((kind) => {
    const place = left.indexOf(kind);
    if (place >= 0) left.splice(place, 1);
    return place < 0;
  });
}

async function nothingLeft(before: readonly string[]): Promise<void> {
  await waitUntil('all handles to be let go', () => added(before).length === 0).catch(() => undefined);
  assert.deepEqual(added(before), []);
}

export function serviceContract(name: string, prepare: () => Promise<ServiceUnderTest>): void {
  void test(`${name}: its constructor opens nothing`, async () => {
    await using neighbours = await prepare();
    const before = openHandles();

    const service = neighbours.create();

    assert.deepEqual(added(before), []);
    assert.ok(['ok', 'degraded', 'failing'].includes(service.health().state));
    assert.notEqual(service.name, '');
  });

  void test(`${name}: it starts, says how it is, stops in time and leaves nothing open`, async () => {
    await using neighbours = await prepare();
    const before = openHandles();
    const service = neighbours.create();

    await service.start(NEVER);
    const { state, reason } = service.health();
    assert.ok(state === 'ok' || (state === 'degraded' && reason !== undefined), `${state} ${reason}`);
    await stopsByItself(service);

    assert.equal(await service.ended, undefined);
    await nothingLeft(before);
  });

  void test(`${name}: it may be stopped twice, also at once`, async () => {
    await using neighbours = await prepare();
    const service = neighbours.create();
    await service.start(NEVER);

    await Promise.all([stopsByItself(service), stopsByItself(service)]);
    await stopsByItself(service);

    assert.equal(await service.ended, undefined);
  });

  void test(`${name}: it may be stopped before it was started`, async () => {
    await using neighbours = await prepare();
    const before = openHandles();
    const service = neighbours.create();

    await stopsByItself(service);

    await nothingLeft(before);
  });

  void test(`${name}: a start that is aborted leaves nothing open`, async () => {
    await using neighbours = await prepare();
    const before = openHandles();
    const service = neighbours.create();
    const controller = new AbortController();

    const starting = service.start(controller.signal);
    controller.abort();
    const outcome = await starting.then(
      () => 'ready before the abort',
      (error: unknown) => error,
    );

    // Whoever was ready all the same is stopped like anybody else.
    if (outcome === 'ready before the abort') await stopsByItself(service);
    else assert.ok(isAbort(outcome), String(outcome));
    await nothingLeft(before);
  });
}
