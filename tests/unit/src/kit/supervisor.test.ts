import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Deadline } from '../../../../src/kit/deadline.ts';
import { silentLogger } from '../../../../src/kit/logger.ts';
import { HEALTHY, type Health, type Service } from '../../../../src/kit/service.ts';
import { Supervisor } from '../../../../src/kit/supervisor.ts';
import { ms, seconds } from '../../../../src/kit/units.ts';

const NEVER = new AbortController().signal;
const SOON = (): Deadline => Deadline.after(seconds(5));

interface Part extends Service {
  fail(failure: unknown): void;
}

function parts(journal: string[], changes: Readonly<Record<string, Partial<Service>>> = {}) {
  return (name: string): Part => {
    let fail: (failure: unknown) => void = () => undefined;
    return {
      name,
      start: () => {
        journal.push(`+${name}`);
        return Promise.resolve();
      },
      stop: () => {
        journal.push(`-${name}`);
        return Promise.resolve();
      },
      health: () => HEALTHY,
      ended: new Promise((resolve) => {
        fail = resolve;
      }),
      fail: (failure) => {
        fail(failure);
      },
      ...changes[name],
    };
  };
}

const supervise = (services: readonly Service[]): Supervisor => new Supervisor(services, { logger: silentLogger });

void test('services start as listed and stop in reverse, once, however often stop is called', async () => {
  const journal: string[] = [];
  const supervisor = supervise(['store', 'link', 'sockets'].map(parts(journal)));

  await supervisor.start(NEVER);
  await Promise.all([supervisor.stop(SOON()), supervisor.stop(SOON())]);
  await supervisor.stop(SOON());

  assert.deepEqual(journal, ['+store', '+link', '+sockets', '-sockets', '-link', '-store']);
  assert.equal(await supervisor.ended, undefined);
});

void test('a service that cannot start takes back those before it, and the reason is told', async () => {
  const journal: string[] = [];
  const reason = new Error('port in use');
  const make = parts(journal, { sockets: { start: () => Promise.reject(reason) } });
  const supervisor = supervise(['store', 'sockets', 'admin'].map(make));

  await assert.rejects(supervisor.start(NEVER), reason);

  assert.deepEqual(journal, ['+store', '-store']);
});

void test('an aborted start takes back what had started', async () => {
  const journal: string[] = [];
  const controller = new AbortController();
  const make = parts(journal, {
    link: {
      start: () => {
        controller.abort();
        return Promise.resolve();
      },
    },
  });
  const supervisor = supervise(['store', 'link', 'sockets'].map(make));

  await assert.rejects(supervisor.start(controller.signal), { name: 'AbortError' });

  assert.deepEqual(journal, ['+store', '-link', '-store']);
});

void test('a stop during the start leaves nothing running', async () => {
  const journal: string[] = [];
  let ready: () => void = () => undefined;
  const slow = new Promise<void>((resolve) => {
    ready = resolve;
  });
  const make = parts(journal, { link: { start: () => slow } });
  const supervisor = supervise(['store', 'link', 'sockets'].map(make));

  const starting = supervisor.start(NEVER).catch(() => 'given up');
  await new Promise(setImmediate);
  const stopping = supervisor.stop(SOON());
  ready();
  await Promise.all([starting, stopping]);

  assert.equal(journal.includes('+sockets'), false, journal.join());
  assert.deepEqual(journal, ['+store', '-link', '-store']);
});

void test('the first failure of a running service ends the supervisor', async () => {
  const services = ['store', 'link', 'sockets'].map(parts([]));
  const supervisor = supervise(services);
  await supervisor.start(NEVER);
  const failure = new Error('disk gone');

  services[0]?.fail(failure);
  await new Promise(setImmediate);
  services[1]?.fail(new Error('later'));

  assert.equal(await supervisor.ended, failure);
  await supervisor.stop(SOON());
  assert.equal(await supervisor.ended, failure);
});

void test('a service that ends because it was stopped is no failure', async () => {
  const services = ['store', 'link'].map(parts([]));
  const supervisor = supervise(services);
  await supervisor.start(NEVER);

  for (const service of services) service.fail(undefined);
  await new Promise(setImmediate);
  const stopping = supervisor.stop(SOON());
  services[0]?.fail(new Error('while stopping'));
  await stopping;

  assert.equal(await supervisor.ended, undefined);
});

void test('a service that does not stop in time does not keep the others from stopping', async () => {
  const journal: string[] = [];
  const make = parts(journal, { link: { stop: () => new Promise(() => undefined) } });
  const supervisor = supervise(['store', 'link', 'sockets'].map(make));
  await supervisor.start(NEVER);

  await supervisor.stop(Deadline.after(ms(20)));

  assert.deepEqual(journal.slice(3), ['-sockets', '-store']);
});

void test('the worst part speaks for the whole', () => {
  const health = (state: Health['state']): Partial<Service> => ({ health: () => ({ state, reason: `${state}!` }) });
  const make = parts([], { a: health('degraded'), b: health('failing') });

  assert.deepEqual(supervise(['x', 'a', 'b'].map(make)).health(), { state: 'failing', reason: 'b: failing!' });
  assert.deepEqual(supervise(['x', 'a'].map(make)).health(), { state: 'degraded', reason: 'a: degraded!' });
  assert.deepEqual(supervise(['x'].map(make)).health(), HEALTHY);
});
