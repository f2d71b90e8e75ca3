// A nats-server of the hub's own, as a service: one server per store, whatever happens to the hub. A server left over from a hub
// that was killed is taken over, never doubled (a second one on the same store starts without complaint and ruins it).
import { createHash } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { backoffDelay } from '../../kit/backoff.ts';
import { Deadline } from '../../kit/deadline.ts';
import { isAbort, messageOf } from '../../kit/errors.ts';
import type { Logger } from '../../kit/logger.ts';
import type { KeyAndCertificate } from '../../kit/key-and-certificate.ts';
import { isLoopback } from '../../kit/loopback.ts';
import { HEALTHY, type Health, type Service } from '../../kit/service.ts';
import { sleep } from '../../kit/sleep.ts';
import { TaskGroup } from '../../kit/task-group.ts';
import { ms, seconds } from '../../kit/units.ts';
import { asInteger, asObject, parseJson } from '../../wire/json.ts';
import { readIfThere, writePrivateFile } from '../private-files.ts';
import { installedServer, type InstalledServer } from './installed-server.ts';
import { choosePort, freePort, portsToTry, type WantedAddress } from './port-choice.ts';
import {
  bracketed,
  configText,
  identityLine,
  OLDEST_VERSION,
  type ServerFiles,
  type ServerOperator,
  type ServerShape,
  type ServerTls,
} from './server-config.ts';
import { hostsOf, reachableHost } from './server-hosts.ts';
import { ServerProcess } from './server-process.ts';
import { giveStreamsTo } from './stream-owner.ts';

export interface ManagedNatsServerTools {
  readonly logger: Logger;
  readonly operator: () => Promise<ServerOperator>;
  /** For TLS, which the server speaks when it listens beyond this machine. */
  readonly certificate: (hosts: readonly string[]) => Promise<KeyAndCertificate>;
}

export interface ManagedNatsServerConfig extends WantedAddress {
  readonly dataDir: string;
}

const RESTART = { first: ms(100), most: seconds(5) };
/** A server that ran this long was well. */
const GOOD_RUN = seconds(30);
/** A healthy server ends well within this after SIGTERM; a frozen one must not use up what the hub has to stop. */
const STOP_GRACE = ms(2500);
/** Longer than a killed process takes to let go of its port, or a started one to be named in the pid file. */
const UNSEEN = seconds(2);
const LOOK_AGAIN = ms(50);
/** Kept back from the deadline of a stop, for SIGKILL and its effect. */
const LAST_RESORT = ms(1500);

export class ManagedNatsServer implements Service {
  readonly name = 'nats-server';
  readonly #config: ManagedNatsServerConfig;
  readonly #logger: Logger;
  readonly #operator: ManagedNatsServerTools['operator'];
  readonly #certificate: ManagedNatsServerTools['certificate'];
  readonly #isLocal: boolean;
  readonly #dir: string;
  readonly #files: ServerFiles;
  readonly #tasks = new TaskGroup();
  #process: ServerProcess | undefined;
  #installed: InstalledServer = { program: 'nats-server', version: OLDEST_VERSION };
  #port = 0;
  #reason: string | undefined = 'not started';

  constructor(config: ManagedNatsServerConfig, tools: ManagedNatsServerTools) {
    this.#config = config;
    this.#logger = tools.logger;
    this.#operator = tools.operator;
    this.#certificate = tools.certificate;
    this.#isLocal = isLoopback(config.host);
    this.#dir = resolve(config.dataDir, 'nats');
    this.#files = {
      config: join(this.#dir, 'nats-server.conf'),
      pid: join(this.#dir, 'nats-server.pid'),
      log: join(this.#dir, 'nats-server.log'),
      store: join(this.#dir, 'store'),
      accounts: join(this.#dir, 'accounts'),
      address: join(this.#dir, 'address.json'),
    };
  }

  get ended(): Promise<unknown> {
    return this.#tasks.ended;
  }

  /** Where it listens; known once started. */
  get url(): string {
    const scheme = this.#isLocal ? 'nats' : 'tls';
    return `${scheme}://${bracketed(reachableHost(this.#config.host))}:${this.#port}`;
  }

  get logFile(): string {
    return this.#files.log;
  }

  get pid(): number | undefined {
    return this.#process?.pid;
  }

  /** Resolves when the server answers. Rejects with NATS_SERVER_MISSING, NATS_SERVER_TOO_OLD, NATS_PORT_IN_USE, …_NOT_READY. */
  async start(signal: AbortSignal): Promise<void> {
    this.#installed = await installedServer();
    await mkdir(this.#files.store, { recursive: true, mode: 0o700 });
    const remembered = await this.#rememberedPort();
    this.#process = await this.#takeOverWhatRuns(remembered, signal);
    this.#process ??= await this.#launch(remembered, signal);
    this.#reason = undefined;
    this.#tasks.run('watch over', (own) => this.#watchOver(own));
  }

  async stop(deadline: Deadline): Promise<void> {
    await this.#tasks.close(deadline);
    const grace = Math.min(STOP_GRACE, Math.max(0, deadline.remaining() - LAST_RESORT));
    await this.#process?.end(Deadline.after(ms(grace)));
    this.#process = undefined;
  }

  health(): Health {
    return this.#reason === undefined ? HEALTHY : { state: 'degraded', reason: this.#reason };
  }

  /** A server that was just killed, or just started, may hold the port of last time for a moment and not be seen yet. */
  async #takeOverWhatRuns(remembered: number | undefined, signal: AbortSignal): Promise<ServerProcess | undefined> {
    const until = performance.now() + UNSEEN;
    for (;;) {
      const found = await this.#takeOver(remembered, signal);
      const [first = 0] = portsToTry(this.#config, remembered);
      const isSettled = found !== undefined || first !== remembered || performance.now() > until;
      if (isSettled || (await freePort(this.#config.host, first)) !== undefined) return found;
      await sleep(LOOK_AGAIN, signal);
      signal.throwIfAborted();
    }
  }

  async #takeOver(remembered: number | undefined, signal: AbortSignal): Promise<ServerProcess | undefined> {
    const found = await ServerProcess.running(this.#files);
    if (found === undefined) return undefined;
    const { port, portAskedFor } = this.#config;
    const fits = remembered !== undefined && (!portAskedFor || port === 0 || port === remembered);
    this.#port = remembered ?? 0;
    if (!fits || !(await this.#runsAsWanted())) {
      this.#logger.info(
        { pid: found.pid },
        'stopping the nats-server of an earlier hub: it serves otherwise or elsewhere',
      );
      await found.end(Deadline.after(seconds(10)));
      return undefined;
    }
    try {
      await found.ready(await this.#shape(), signal);
    } catch (error) {
      signal.throwIfAborted();
      this.#logger.warn({ pid: found.pid, reason: messageOf(error) }, 'replacing the nats-server of an earlier hub');
      await found.end(Deadline.after(seconds(10)));
      return undefined;
    }
    this.#logger.info({ pid: found.pid, url: this.url }, 'took over the nats-server of an earlier hub');
    return found;
  }

  async #launch(remembered: number | undefined, signal: AbortSignal): Promise<ServerProcess> {
    this.#port = await choosePort(this.#config, remembered);
    if (this.#config.port !== 0 && this.#port !== this.#config.port && this.#port !== remembered)
      this.#logger.warn(
        { port: this.#port },
        `port ${this.#config.port} is in use by another program; NATS listens on ${this.#port} instead`,
      );
    await writePrivateFile(this.#files.address, JSON.stringify({ host: this.#config.host, port: this.#port }));
    return await this.#spawn(signal);
  }

  async #spawn(signal: AbortSignal): Promise<ServerProcess> {
    if (!this.#isLocal) await this.#writeCertificate();
    const { files, operator } = await this.#writeConfig();
    await giveStreamsTo(operator.account.publicKey, files.store);
    const started = await ServerProcess.spawn(this.#installed.program, this.#files);
    try {
      await started.ready(await this.#shape(), signal);
    } catch (error) {
      await started.end(Deadline.after(seconds(2)));
      throw error;
    }
    this.#logger.info({ pid: started.pid, url: this.url }, 'nats-server runs');
    return started;
  }

  async #watchOver(signal: AbortSignal): Promise<void> {
    let attempt = 0;
    while (!signal.aborted) {
      const begun = performance.now();
      if ((await this.#process?.exited(signal)) === 'aborted') return;
      attempt = performance.now() - begun > GOOD_RUN ? 0 : attempt;
      this.#reason = 'the nats-server died and is being started again';
      this.#logger.warn({ pid: this.#process?.pid }, this.#reason);
      await sleep(backoffDelay(RESTART, attempt), signal);
      attempt += 1;
      await this.#revive(signal);
    }
  }

  async #revive(signal: AbortSignal): Promise<void> {
    try {
      signal.throwIfAborted();
      this.#process = await this.#spawn(signal);
      this.#reason = undefined;
    } catch (error) {
      if (isAbort(error)) return;
      this.#reason = messageOf(error);
      this.#logger.error({ reason: this.#reason }, 'the nats-server does not start; trying again');
    }
  }

  async #shape(): Promise<ServerShape> {
    const name = `skerry-${createHash('sha256').update(this.#dir).digest('hex').slice(0, 12)}`;
    return {
      name,
      host: this.#config.host,
      port: this.#port,
      files: this.#files,
      operator: await this.#operator(),
      tls: this.#isLocal ? undefined : this.#tlsFiles,
      version: this.#installed.version,
    };
  }

  get #tlsFiles(): ServerTls {
    return { certificateFile: join(this.#dir, 'server.crt'), keyFile: join(this.#dir, 'server.key') };
  }

  /** A new one at each start of the server: it is never old. */
  async #writeCertificate(): Promise<void> {
    const { key, certificate } = await this.#certificate(hostsOf(this.#config.host));
    await writePrivateFile(this.#tlsFiles.keyFile, key);
    await writePrivateFile(this.#tlsFiles.certificateFile, certificate);
  }

  async #writeConfig(): Promise<ServerShape> {
    const shape = await this.#shape();
    await writePrivateFile(this.#files.config, configText(shape));
    return shape;
  }

  /** Its accounts come by claims: only who vouches for them, and where it listens, is in the file that it was started with. */
  async #runsAsWanted(): Promise<boolean> {
    const wanted = identityLine(await this.#shape());
    return ((await readIfThere(this.#files.config)) ?? '').split('\n').includes(wanted);
  }

  async #rememberedPort(): Promise<number | undefined> {
    const kept = asObject(parseJson((await readIfThere(this.#files.address)) ?? ''));
    return kept?.['host'] === this.#config.host ? asInteger(kept['port']) : undefined;
  }
}
