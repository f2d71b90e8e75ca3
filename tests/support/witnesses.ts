// Two clients that do as they should, while others do not: one says numbers, one hears them. They must never notice anything.
import { connectAsync, type MqttClient } from 'mqtt';
import assert from 'node:assert/strict';
import { waitUntil } from './wait-until.ts';

const TOPIC = 'witness/of/everything';

export class Witnesses {
  readonly #publisher: MqttClient;
  readonly #subscriber: MqttClient;
  readonly #heard: number[] = [];
  readonly #troubles: string[] = [];
  #said = 0;
  readonly #disturbed: Promise<void>;
  #isOver = false;
  #isDone = false;
  #saying: Promise<void> = Promise.resolve();

  private constructor(publisher: MqttClient, subscriber: MqttClient) {
    this.#publisher = publisher;
    this.#subscriber = subscriber;
    this.#disturbed = new Promise((resolve) => {
      const note = (trouble: string): void => {
        if (this.#isDone) return;
        this.#troubles.push(trouble);
        resolve();
      };
      for (const client of [publisher, subscriber]) {
        client.on('close', () => note('a witness was disconnected'));
        client.on('error', (error) => note(error.message));
      }
    });
  }

  static async at(url: string): Promise<Witnesses> {
    const options = { reconnectPeriod: 0 };
    const [publisher, subscriber] = await Promise.all([
      connectAsync(url, { ...options, clientId: 'witness-saying' }),
      connectAsync(url, { ...options, clientId: 'witness-hearing' }),
    ]);
    const witnesses = new Witnesses(publisher, subscriber);
    subscriber.on('message', (_topic, payload) => witnesses.#heard.push(Number(payload.toString())));
    await subscriber.subscribeAsync(TOPIC, { qos: 1 });
    witnesses.#saying = witnesses.#say();
    return witnesses;
  }

  get said(): number {
    return this.#said;
  }

  /** Stops them; fails unless every number that was acknowledged was heard once and in order, and neither was ever disconnected. */
  async testify(): Promise<void> {
    const wasHeard = (): boolean => this.#heard.length >= this.#said || this.#troubles.length > 0;
    this.#isOver = true;
    await this.#saying;
    await waitUntil('the last number to be heard', wasHeard);
    this.#isDone = true;
    await Promise.all([this.#publisher.endAsync(), this.#subscriber.endAsync()]);
    assert.deepEqual(this.#troubles, []);
    assert.deepEqual(this.#heard, [...this.#heard.keys()], 'numbers are missing, twice there or out of order');
    assert.equal(this.#heard.length, this.#said);
  }

  async #say(): Promise<void> {
    while (!this.#isOver && this.#troubles.length === 0) {
      await Promise.race([this.#publisher.publishAsync(TOPIC, `${this.#said}`, { qos: 1 }), this.#disturbed]);
      this.#said += 1;
    }
  }
}
