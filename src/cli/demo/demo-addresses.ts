import { isFree, parseAddress } from '../addresses.ts';
import { textSetting, type Settings } from '../options.ts';

/** The usual address of each, taken when it was not asked for by name and is free. */
const USUAL = {
  mqtt: '127.0.0.1:1883',
  'mqtt-ws': '127.0.0.1:8083',
  api: '127.0.0.1:6443',
  'nats-listen': '127.0.0.1:4222',
  http: '127.0.0.1:8443',
  'edge-http': '127.0.0.1:10550',
} as const;

export type DemoAddressKey = keyof typeof USUAL;
export type DemoAddresses = Readonly<Record<DemoAddressKey, string>>;

/** As asked for by name; else the usual one; else any free port, which `onOther` hears of. */
export async function chooseAddresses(settings: Settings, onOther: (sentence: string) => void): Promise<DemoAddresses> {
  const chosen: Partial<Record<DemoAddressKey, string>> = {};
  for (const key of Object.keys(USUAL) as DemoAddressKey[]) {
    const asked = textSetting(settings, key);
    const usual = USUAL[key];
    const { host, port } = parseAddress(`--${key}`, asked ?? usual);
    const isTaken = asked === undefined && !(await isFree({ host, port }));
    if (isTaken) onOther(`port ${port} is taken; using a free one (--${key} chooses)`);
    chosen[key] = isTaken ? `${host}:0` : `${host}:${port}`;
  }
  return chosen as DemoAddresses;
}
