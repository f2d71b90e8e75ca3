// A NATS user that may listen to what nodes report and do nothing else: what a cloud service, or a curious person, connects as.
import { join } from 'node:path';
import type { Deadline } from '../../kit/deadline.ts';
import { HEALTHY, type Health, type Service } from '../../kit/service.ts';
import { VIEWER_PERMISSIONS } from '../../wire/nats-subjects.ts';
import type { NatsUser } from '../nats-server/server-config.ts';
import { keptPassword, writePrivateFile } from '../private-files.ts';

const USER = 'viewer';

export class Viewer implements Service {
  readonly name = 'viewer';
  readonly #dataDir: string;
  readonly #serverUrl: () => string;

  constructor(config: { readonly dataDir: string }, tools: { readonly serverUrl: () => string }) {
    this.#dataDir = config.dataDir;
    this.#serverUrl = tools.serverUrl;
  }

  async user(): Promise<NatsUser> {
    return { user: USER, password: await this.#password(), permissions: VIEWER_PERMISSIONS };
  }

  /** Writes `<dataDir>/nats-viewer.json`, readable by its owner only: the URL to connect to, with user and password in it. */
  async start(_signal: AbortSignal): Promise<void> {
    const url = this.#serverUrl().replace('://', `://${USER}:${await this.#password()}@`);
    await writePrivateFile(join(this.#dataDir, 'nats-viewer.json'), `${JSON.stringify({ url }, undefined, 2)}\n`);
  }

  stop(_deadline: Deadline): Promise<void> {
    return Promise.resolve();
  }

  health(): Health {
    return HEALTHY;
  }

  #password(): Promise<string> {
    return keptPassword(join(this.#dataDir, 'nats', 'viewer-password'));
  }
}
