// A NATS user that may listen to what nodes report and do nothing else: what a cloud service, or a curious person, connects as.
import { join } from 'node:path';
import type { Deadline } from '../../kit/deadline.ts';
import { HEALTHY, type Health, type Service } from '../../kit/service.ts';
import { createKeyPair } from '../../nats/nkeys.ts';
import { VIEWER_PERMISSIONS } from '../../wire/nats-subjects.ts';
import type { Authority } from '../authority/authority.ts';
import { writePrivateFile } from '../private-files.ts';

export class Viewer implements Service {
  readonly name = 'viewer';
  readonly #dataDir: string;
  readonly #tools: { readonly authority: () => Authority; readonly serverUrl: () => string };

  constructor(
    config: { readonly dataDir: string },
    tools: { readonly authority: () => Authority; readonly serverUrl: () => string },
  ) {
    this.#dataDir = config.dataDir;
    this.#tools = tools;
  }

  /** Writes `<dataDir>/nats-viewer.json`, readable by its owner only: the URL to connect to, a JWT and the seed of its key. */
  async start(_signal: AbortSignal): Promise<void> {
    const { publicKey, seed } = createKeyPair('user');
    const jwt = this.#tools.authority().mintUser({ name: 'viewer', publicKey, permissions: VIEWER_PERMISSIONS });
    const access = { url: this.#tools.serverUrl(), jwt, seed, ca: this.#tools.authority().caCertificate };
    await writePrivateFile(join(this.#dataDir, 'nats-viewer.json'), `${JSON.stringify(access, undefined, 2)}\n`);
  }

  stop(_deadline: Deadline): Promise<void> {
    return Promise.resolve();
  }

  health(): Health {
    return HEALTHY;
  }
}
