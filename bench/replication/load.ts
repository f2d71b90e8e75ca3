// Publications as a fleet of counters makes them, at a steady rate or as fast as they are acknowledged.
import type { MqttClient } from 'mqtt';
import { setTimeout as delay } from 'node:timers/promises';

let number = 0;

export const devicesNamed = (count: number): readonly string[] =>
  Array.from({ length: count }, (_, place) => `bench-${place}`);

export const topicOf = (device: string, rest = 'twin/update'): string => `$hw/events/device/default/${device}/${rest}`;

/** A new value of the property `number`, greater than any before. */
export function nextReport(): { readonly number: number; readonly eventId: string; readonly payload: string } {
  number += 1;
  const eventId = `n-${number}`;
  const payload = `{"event_id":"${eventId}","timestamp":0,"twin":{"number":{"actual":{"value":"${number}"}}}}`;
  return { number, eventId, payload };
}

/** Calls `act` so often a second, on the average, until the time is over or the signal is given. */
export async function atPace(
  rate: number,
  { lasting, until }: { readonly lasting: number; readonly until?: AbortSignal },
  act: (turn: number) => void,
): Promise<void> {
  const begun = performance.now();
  const most = (rate * lasting) / 1000;
  for (let turn = 0; turn < most && until?.aborted !== true;) {
    const due = Math.floor(((performance.now() - begun) * rate) / 1000);
    for (; turn <= due && turn < most; turn += 1) act(turn);
    await delay(1);
  }
}

/** PUBLISH to PUBACK of every publication, in milliseconds. */
export async function pubackTimes(
  client: MqttClient,
  devices: readonly string[],
  { rate, lasting }: { readonly rate: number; readonly lasting: number },
): Promise<readonly number[]> {
  const times: number[] = [];
  let waiting = 0;
  await atPace(rate, { lasting }, (turn) => {
    const begun = performance.now();
    waiting += 1;
    client.publish(topicOf(devices[turn % devices.length] ?? ''), nextReport().payload, { qos: 1 }, () => {
      waiting -= 1;
      times.push(performance.now() - begun);
    });
  });
  while (waiting > 0) await delay(10);
  return times;
}
