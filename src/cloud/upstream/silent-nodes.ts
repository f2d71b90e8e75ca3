// Devices of nodes that nobody hears: looks around every few seconds and puts right what their status shows. Compares what is there
// with what should be, so a hub that was killed in between, or a Device that moved, needs nothing special.
import type { Deadline } from '../../kit/deadline.ts';
import { HEALTHY, type Health, type Service } from '../../kit/service.ts';
import { sleep } from '../../kit/sleep.ts';
import { TaskGroup } from '../../kit/task-group.ts';
import { seconds } from '../../kit/units.ts';
import type { DeviceWatch } from '../kubernetes/device-watch.ts';
import { objectKey, type DeviceStatus } from '../kubernetes/resources.ts';
import type { StatusWriter } from '../kubernetes/status-writer.ts';
import { underPresence, type NodePresence } from './node-silence.ts';

export interface SilentNodesTools {
  readonly devices: Pick<DeviceWatch, 'values'>;
  readonly writer: Pick<StatusWriter, 'update'>;
  readonly presenceOf: (node: string) => NodePresence;
}

const LOOK_EVERY = seconds(1);

export class SilentNodes implements Service {
  readonly name = 'silent-nodes';
  readonly #tools: SilentNodesTools;
  readonly #tasks = new TaskGroup();
  readonly #underWay = new Set<string>();

  constructor(tools: SilentNodesTools) {
    this.#tools = tools;
  }

  get ended(): Promise<unknown> {
    return this.#tasks.ended;
  }

  start(_signal: AbortSignal): Promise<void> {
    this.#tasks.run('look', async (signal) => {
      while ((await sleep(LOOK_EVERY, signal)) === 'elapsed') this.#look();
    });
    return Promise.resolve();
  }

  async stop(deadline: Deadline): Promise<void> {
    await this.#tasks.close(deadline);
  }

  health(): Health {
    return HEALTHY;
  }

  #look(): void {
    for (const device of this.#tools.devices.values()) {
      const { status } = device;
      if (status === undefined || this.#asItShouldBe(status) === status) continue;
      const key = objectKey(device);
      if (!this.#underWay.has(key)) void this.#write(key);
    }
  }

  async #write(key: string): Promise<void> {
    this.#underWay.add(key);
    await this.#tools.writer.update(key, (status) => this.#asItShouldBe(status));
    this.#underWay.delete(key);
  }

  #asItShouldBe(status: DeviceStatus): DeviceStatus {
    const node = status.binding?.nodeName ?? '';
    return node === '' ? status : underPresence(status, this.#tools.presenceOf(node));
  }
}
