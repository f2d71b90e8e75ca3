import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { DeviceApi } from '../../../../../src/cloud/kubernetes/device-api.ts';
import { kubeErrors } from '../../../../../src/cloud/kubernetes/errors.ts';
import type { DeviceResource, DeviceStatus } from '../../../../../src/cloud/kubernetes/resources.ts';
import {
  StatusWriter,
  type StatusChange,
  type StatusOutcome,
} from '../../../../../src/cloud/kubernetes/status-writer.ts';
import { Deadline } from '../../../../../src/kit/deadline.ts';
import { silentLogger } from '../../../../../src/kit/logger.ts';
import { ms, seconds } from '../../../../../src/kit/units.ts';
import { waitUntil } from '../../../../support/wait-until.ts';
import { stopsByItself } from '../../../../support/stops.ts';

/** The device port in memory. `outcomes` are answers to give before the ordinary ones. */
class MemoryApi implements DeviceApi {
  readonly writes: { readonly status: DeviceStatus; readonly at: number }[] = [];
  readonly outcomes: (() => Promise<'written' | 'conflict' | 'gone'>)[] = [];
  status: DeviceStatus = {};
  exists = true;

  get(): DeviceResource | undefined {
    if (!this.exists) return undefined;
    const metadata = { name: 'd', namespace: 'default', uid: 'u', resourceVersion: '1' };
    return { apiVersion: 'v', kind: 'Device', metadata, spec: {}, status: this.status };
  }

  async writeStatus(
    _device: DeviceResource,
    status: DeviceStatus,
    _signal?: AbortSignal,
  ): Promise<'written' | 'conflict' | 'gone'> {
    const planted = await this.outcomes.shift()?.();
    if (planted !== undefined) return planted;
    this.writes.push({ status, at: performance.now() });
    this.status = status;
    return 'written';
  }
}

function writerOver(api: DeviceApi, interval = ms(80)): StatusWriter & AsyncDisposable {
  const writer = new StatusWriter({ interval }, { api, logger: silentLogger });
  return Object.assign(writer, { [Symbol.asyncDispose]: () => writer.stop(Deadline.after(seconds(1))) });
}

const add =
  (word: string): StatusChange =>
  (status) => ({ ...status, summary: `${status.summary ?? ''}${word}` });

test('changes that come together are one write, and each caller learns of it', async () => {
  const api = new MemoryApi();
  await using writer = writerOver(api);

  const outcomes = await Promise.all(['a', 'b', 'c'].map((word) => writer.update('default/d', add(word))));

  assert.deepEqual(outcomes, ['written', 'written', 'written']);
  assert.deepEqual(
    api.writes.map(({ status }) => status.summary),
    ['abc'],
  );
});

test('the first write goes at once, the next not before the interval is over', async () => {
  const api = new MemoryApi();
  await using writer = writerOver(api);

  await writer.update('default/d', add('a'));
  await Promise.all([writer.update('default/d', add('b')), writer.update('default/d', add('c'))]);

  assert.equal(api.writes.length, 2);
  const apart = (api.writes[1]?.at ?? 0) - (api.writes[0]?.at ?? 0);
  assert.ok(apart > 70, `${apart} ms apart`);
});

test('an urgent change does not wait and takes along what waits', async () => {
  const api = new MemoryApi();
  await using writer = writerOver(api, seconds(60));
  await writer.update('default/d', add('a'));
  const waiting = writer.update('default/d', add('b'));

  await writer.update('default/d', add('c'), 'now');

  assert.equal(await waiting, 'written');
  assert.equal(api.status.summary, 'abc');
});

test('a change that changes nothing is not written', async () => {
  const api = new MemoryApi();
  await using writer = writerOver(api);

  assert.equal(await writer.update('default/d', (status) => status), 'unchanged');
  assert.equal(api.writes.length, 0);
});

test('after a conflict the change is made over what somebody else wrote', async () => {
  const api = new MemoryApi();
  api.outcomes.push(() => {
    api.status = { summary: 'theirs ' };
    return Promise.resolve('conflict');
  });
  await using writer = writerOver(api);

  assert.equal(await writer.update('default/d', add('mine')), 'written');
  assert.equal(api.status.summary, 'theirs mine');
});

test('while the API server is away nothing is reported as kept, and everything is written when it is back', async () => {
  const api = new MemoryApi();
  const away = (): Promise<never> =>
    Promise.reject(kubeErrors.KUBE_UNAVAILABLE({ method: 'PUT', path: '/d', reason: 'planted' }));
  api.outcomes.push(away, away);
  await using writer = writerOver(api);
  const settled: StatusOutcome[] = [];

  const first = writer.update('default/d', add('a')).then((outcome) => settled.push(outcome));
  await waitUntil('degraded health', () => writer.health().state === 'degraded');
  assert.deepEqual(settled, []);
  const second = writer.update('default/d', add('b'));
  await Promise.all([first, second]);

  assert.equal(api.status.summary, 'ab');
  assert.equal(writer.health().state, 'ok');
});

test('a status that the API server refuses is given up with the reason', async () => {
  const api = new MemoryApi();
  api.outcomes.push(() =>
    Promise.reject(
      kubeErrors.KUBE_REFUSED({ method: 'PUT', path: '/d', reason: 'status.state: too long', status: 422 }),
    ),
  );
  await using writer = writerOver(api);

  const outcome = await writer.update('default/d', add('a'));

  assert.match(typeof outcome === 'object' ? outcome.refused : '', /too long/);
});

test('a device that is gone settles what waited for it', async () => {
  const api = new MemoryApi();
  api.exists = false;
  await using writer = writerOver(api);

  assert.equal(await writer.update('default/d', add('a')), 'gone');
});

test('stop lets the write under way finish and abandons what waits for its interval', async () => {
  const api = new MemoryApi();
  let finish = (): void => undefined;
  api.outcomes.push(
    () =>
      new Promise((resolve) => {
        finish = () => resolve('written');
      }),
  );
  const writer = writerOver(api);
  const underWay = writer.update('default/d', add('a'));
  await waitUntil('the write to begin', () => api.outcomes.length === 0);
  const waiting = writer.update('default/d', add('b'));

  const stopped = writer.stop(Deadline.after(seconds(2)));
  finish();
  await stopped;

  assert.equal(await underWay, 'written');
  assert.equal(await waiting, 'abandoned');
  assert.equal(await writer.update('default/d', add('c')), 'abandoned');
});

test('a change that is refused does not cost those that came with it', async () => {
  const api = new MemoryApi();
  const write = api.writeStatus.bind(api);
  api.writeStatus = (device, status) =>
    status.summary?.includes('bad') === true
      ? Promise.reject(kubeErrors.KUBE_REFUSED({ method: 'PUT', path: '/d', reason: 'bad', status: 422 }))
      : write(device, status);
  await using writer = writerOver(api, seconds(60));

  const outcomes = await Promise.all(['a', 'bad', 'c', 'd'].map((word) => writer.update('default/d', add(word))));

  assert.deepEqual(
    outcomes.map((outcome) => (typeof outcome === 'object' ? 'refused' : outcome)),
    ['written', 'refused', 'written', 'written'],
  );
  assert.equal(api.status.summary, 'acd');
});

test('a stop does not wait for an API server that never answers', async () => {
  const api = new MemoryApi();
  let asked = false;
  api.writeStatus = (_device, _status, signal = new AbortController().signal) => {
    asked = true;
    return new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(new Error('aborted'))));
  };
  const writer = writerOver(api);
  const underWay = writer.update('default/d', add('a'));
  await waitUntil('the write to begin', () => asked);

  await stopsByItself(writer);

  assert.equal(await underWay, 'abandoned');
});

test('a device that was written is forgotten once its interval is over', async () => {
  const api = new MemoryApi();
  await using writer = writerOver(api);
  await writer.update('default/d', add('a'));
  assert.equal(writer.size, 1);

  await waitUntil('the entry to go', () => writer.size === 0);

  assert.equal(await writer.update('default/d', add('b')), 'written');
});

test('while the API server is away a thousand devices are no storm, and all are written once it is back', async () => {
  const api = new MemoryApi();
  let attempts = 0;
  let isAway = true;
  const flaky: DeviceApi = {
    get: () => api.get(),
    writeStatus: (device, status) => {
      attempts += 1;
      return isAway
        ? Promise.reject(kubeErrors.KUBE_UNAVAILABLE({ method: 'PUT', path: 'p', reason: 'planted' }))
        : api.writeStatus(device, status);
    },
  };
  await using writer = writerOver(flaky);

  const outcomes = Promise.all(Array.from({ length: 1000 }, (_, n) => writer.update(`default/d${n}`, add('a'))));
  await waitUntil('a third round of attempts', () => attempts >= 35);

  assert.ok(attempts < 40, `${attempts} attempts`);
  assert.equal(writer.health().state, 'degraded');
  isAway = false;
  assert.ok((await outcomes).every((outcome) => outcome === 'written'));
  assert.equal(attempts - api.writes.length < 40, true);
});
