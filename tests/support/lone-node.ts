// `skerry edge` without a hub and without NATS, always on the same port: sessions need neither.
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { startProgram, type Program } from './program.ts';
import { tempDir } from './temp-dir.ts';

const CREDENTIALS = '{"node":"alone","nats":{"url":"nats://127.0.0.1:9","user":"alone","password":"none"}}';

export class LoneNode {
  readonly #dir: string;
  readonly #nodeFlags: readonly string[];
  #edge: Program | undefined;
  #url = '';

  private constructor(dir: string, nodeFlags: readonly string[]) {
    this.#dir = dir;
    this.#nodeFlags = nodeFlags;
  }

  /** Ends with the test. */
  static async started(t: TestContext, nodeFlags: readonly string[] = []): Promise<LoneNode> {
    const dir = await tempDir();
    const node = new LoneNode(dir.path, nodeFlags);
    t.after(async () => {
      await node.kill();
      await dir[Symbol.asyncDispose]();
    });
    await writeFile(node.#credentials, CREDENTIALS, { mode: 0o600 });
    await node.start();
    return node;
  }

  get #credentials(): string {
    return join(this.#dir, 'credentials.json');
  }

  /** The process of now. */
  get program(): Program {
    if (this.#edge === undefined) throw new Error('the node was not started');
    return this.#edge;
  }

  get url(): string {
    return this.#url;
  }

  get port(): number {
    return Number(new URL(this.#url).port);
  }

  /** `onSpawn` gets the process before it serves; rejects when it ends before it serves. */
  async start(onSpawn: (pid: number) => void = () => undefined): Promise<void> {
    const files = ['--data-dir', join(this.#dir, 'edge'), '--credentials', this.#credentials];
    const mqtt = `127.0.0.1:${this.#url === '' ? 0 : this.port}`;
    const sockets = ['--mqtt', mqtt, '--mqtt-ws', 'off', '--http', '127.0.0.1:0'];
    this.#edge = await startProgram(['edge', ...files, ...sockets], { onSpawn, nodeFlags: this.#nodeFlags });
    this.#url = this.#edge.text('mqtt');
  }

  async kill(): Promise<void> {
    await this.#edge?.kill();
  }

  async killAndStart(): Promise<void> {
    await this.kill();
    await this.start();
  }
}
