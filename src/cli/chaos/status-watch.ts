// Watches every Device for as long as a run lasts, also across hubs that die, and notes where a status went backwards.
import { KubeClient } from '../../cloud/kubernetes/kube-client.ts';
import type { DeviceResource } from '../../cloud/kubernetes/resources.ts';
import type { Deadline } from '../../kit/deadline.ts';
import { isAbort, messageOf, SkerryError } from '../../kit/errors.ts';
import { HEALTHY, type Health, type Service } from '../../kit/service.ts';
import { sleep } from '../../kit/sleep.ts';
import { TaskGroup } from '../../kit/task-group.ts';
import { ms, seconds } from '../../kit/units.ts';
import { compareVersions, parseVersion } from '../../model/version.ts';
import { asObject, type JsonObject } from '../../wire/json.ts';
import { DEVICES_PATH } from './site-devices.ts';

interface Shown {
  readonly version: string;
  readonly value: string;
}

const RETRY = ms(100);
const SILENCE = seconds(30);
const MOST_SENTENCES = 20;

export class StatusWatch implements Service {
  readonly name = 'status-watch';
  readonly #kubeconfig: string;
  readonly #tasks = new TaskGroup();
  readonly #newest = new Map<string, Shown>();
  readonly #setbacks: string[] = [];
  #backwards = 0;
  readonly #watched = new Set<string>();
  #failure: string | undefined;

  constructor(kubeconfig: string) {
    this.#kubeconfig = kubeconfig;
  }

  get ended(): Promise<unknown> {
    return this.#tasks.ended;
  }

  start(_signal: AbortSignal): Promise<void> {
    this.#tasks.run('watch', (signal) => this.#follow(signal));
    void this.#tasks.ended.then((failure) => {
      if (failure !== undefined) this.#failure = `the watch of every status ended: ${messageOf(failure)}`;
    });
    return Promise.resolve();
  }

  async stop(deadline: Deadline): Promise<void> {
    await this.#tasks.close(deadline);
  }

  health(): Health {
    return HEALTHY;
  }

  /** Steps back that were seen. */
  get backwards(): number {
    return this.#backwards;
  }

  /** The first few of them, as sentences. */
  get setbacks(): readonly string[] {
    return this.#setbacks;
  }

  /** Names of the devices of which a value was seen, as long as the watch goes on. One that ended has missed something of each. */
  get watched(): ReadonlySet<string> {
    return this.#failure === undefined ? this.#watched : new Set();
  }

  /** Why it ended, as a sentence. */
  get failure(): string | undefined {
    return this.#failure;
  }

  async #follow(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        await this.#watchOnce(signal);
      } catch (error) {
        // The hub, and the API in it, are being killed all the time: from the beginning again.
        if (!isAbort(error) && !(error instanceof SkerryError)) throw error;
      }
      await sleep(RETRY, signal);
    }
  }

  async #watchOnce(signal: AbortSignal): Promise<void> {
    const client = KubeClient.fromFile(this.#kubeconfig);
    try {
      const onObject = (event: JsonObject): void => this.#see(event);
      await client.watch(`${DEVICES_PATH}?watch=true`, { onObject, silence: SILENCE }, signal);
    } finally {
      client.close();
    }
  }

  #see(event: JsonObject): void {
    const device = asObject(event['object']) as unknown as DeviceResource | undefined;
    for (const { propertyName, reported } of device?.status?.twins ?? []) {
      const version = reported?.metadata?.['version'];
      if (device === undefined || reported === undefined || version === undefined) continue;
      this.#watched.add(device.metadata.name);
      const key = `${device.metadata.uid}/${device.metadata.name}/${propertyName}`;
      this.#compare(key, { version, value: reported.value });
    }
  }

  #compare(key: string, seen: Shown): void {
    const before = this.#newest.get(key);
    this.#newest.set(key, seen);
    if (before === undefined || !isSetback(before, seen)) return;
    this.#backwards += 1;
    if (this.#setbacks.length < MOST_SENTENCES)
      this.#setbacks.push(`${key}: ${before.version} (${before.value}), then ${seen.version} (${seen.value})`);
  }
}

function isSetback(before: Shown, seen: Shown): boolean {
  const [was, is] = [parseVersion(before.version), parseVersion(seen.version)];
  const isBack = was === undefined || is === undefined || compareVersions(is, was) < 0;
  const isTwoFaced = before.version === seen.version && before.value !== seen.value;
  // What these devices say are numbers that grow.
  return isBack || isTwoFaced || Number(seen.value) < Number(before.value);
}
