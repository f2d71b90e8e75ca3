import type { Deadline } from '../../kit/deadline.ts';
import { HEALTHY, type Health, type Service } from '../../kit/service.ts';
import type { KubeClient } from './kube-client.ts';

/** Lets go of the connections to the API server after everything that uses them has stopped. */
export class KubeService implements Service {
  readonly name = 'kubernetes';
  readonly #client: KubeClient;

  constructor(client: KubeClient) {
    this.#client = client;
  }

  start(_signal: AbortSignal): Promise<void> {
    return Promise.resolve();
  }

  stop(_deadline: Deadline): Promise<void> {
    this.#client.close();
    return Promise.resolve();
  }

  /** What cannot be reached shows in the health of the parts that ask for it. */
  health(): Health {
    return HEALTHY;
  }
}
