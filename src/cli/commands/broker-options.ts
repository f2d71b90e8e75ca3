// The limits of the MQTT broker as options of `skerry edge`, and how what is given becomes one. The defaults are those of the broker
// (tested).
import type { BrokerLimits } from '../../edge/edge-config.ts';
import { bytes, days, mebibytes, ms, seconds, type Bytes, type Duration } from '../../kit/units.ts';
import { parseCount } from '../counts.ts';
import { parseDuration } from '../durations.ts';
import { optionKey, requiredSetting, type OptionDeclaration, type Settings } from '../options.ts';
import { parseBytes } from '../sizes.ts';

type Limit = keyof BrokerLimits;

interface Range<T> {
  readonly least: T;
  readonly most: T;
}

interface LimitOption extends OptionDeclaration {
  readonly limit: Limit;
  readonly default: string;
  /** `undefined` lifts the limit. */
  readonly read: (option: string, text: string) => number | undefined;
}

const count = (range: Range<number>) => (option: string, text: string) => parseCount(option, text, range);
const size = (range: Range<Bytes>) => (option: string, text: string) => parseBytes(option, text, range);
const time = (range: Range<Duration>) => (option: string, text: string) => parseDuration(option, text, range);
const timeOrOff = (range: Range<Duration>) => (option: string, text: string) =>
  text === 'off' ? undefined : parseDuration(option, text, { ...range, or: 'off' });

const UP_TO_A_MILLION = { least: 1, most: 1_000_000 };
/** Packet ids have two bytes. */
const PACKET_IDS = 65_535;
const SIZE = { least: bytes(1024), most: mebibytes(1024) };

export const BROKER_OPTIONS: readonly LimitOption[] = [
  {
    flags: '--mqtt-connections <count>',
    limit: 'connections',
    description: 'MQTT clients at once',
    default: '10000',
    read: count(UP_TO_A_MILLION),
  },
  {
    flags: '--mqtt-address-connections <count>',
    limit: 'addressConnections',
    description: 'of them, from one address; loopback is not counted',
    default: '1000',
    read: count(UP_TO_A_MILLION),
  },
  {
    flags: '--mqtt-connect-timeout <time>',
    limit: 'connectTimeout',
    description: 'how long a connection may be open without CONNECT',
    default: '10s',
    read: time({ least: ms(100), most: seconds(3600) }),
  },
  {
    flags: '--mqtt-keepalive <time>',
    limit: 'keepalive',
    description: 'the longest keepalive time that a client may ask for, or "off": any, and none',
    default: 'off',
    read: timeOrOff({ least: seconds(1), most: seconds(65_535) }),
  },
  {
    flags: '--mqtt-packet <size>',
    limit: 'packet',
    description: 'the largest packet that is taken from a client',
    default: '1MiB',
    read: size({ least: bytes(1024), most: mebibytes(255) }),
  },
  {
    flags: '--mqtt-inflight <count>',
    limit: 'inflight',
    description: 'QoS 2 publications that a client may have sent and not released',
    default: '1000',
    read: count({ least: 1, most: PACKET_IDS }),
  },
  {
    flags: '--mqtt-backlog <size>',
    limit: 'backlog',
    description: 'what may wait for a connected client that does not keep up',
    default: '4MiB',
    read: size(SIZE),
  },
  {
    flags: '--mqtt-stalled-after <time>',
    limit: 'stalledAfter',
    description: 'how long a client may take nothing of what waits for it',
    default: '10s',
    read: time({ least: ms(100), most: seconds(3600) }),
  },
  {
    flags: '--mqtt-sessions <count>',
    limit: 'sessions',
    description: 'sessions that outlive their connection',
    default: '1000',
    read: count(UP_TO_A_MILLION),
  },
  {
    flags: '--mqtt-session-expiry <time>',
    limit: 'sessionExpiry',
    description: 'how long a client may be away before its session ends',
    default: '30d',
    read: time({ least: seconds(1), most: days(3650) }),
  },
  {
    flags: '--mqtt-session-messages <count>',
    limit: 'sessionMessages',
    description: 'messages that may wait for one session; past it, the oldest is dropped',
    default: '10000',
    read: count({ least: 1, most: PACKET_IDS }),
  },
  {
    flags: '--mqtt-session-bytes <size>',
    limit: 'sessionBytes',
    description: 'what they may weigh',
    default: '4MiB',
    read: size(SIZE),
  },
  {
    flags: '--mqtt-queued-messages <count>',
    limit: 'totalSessionMessages',
    description: 'messages that may wait for all sessions together',
    default: '50000',
    read: count({ least: 1, most: 10_000_000 }),
  },
  {
    flags: '--mqtt-queued-bytes <size>',
    limit: 'totalSessionBytes',
    description: 'what they may weigh',
    default: '16MiB',
    read: size(SIZE),
  },
  {
    flags: '--mqtt-client-subscriptions <count>',
    limit: 'clientSubscriptions',
    description: 'subscriptions of one client',
    default: '1000',
    read: count(UP_TO_A_MILLION),
  },
  {
    flags: '--mqtt-subscriptions <count>',
    limit: 'totalSubscriptions',
    description: 'subscriptions of all clients together',
    default: '20000',
    read: count(UP_TO_A_MILLION),
  },
  {
    flags: '--mqtt-retained-topics <count>',
    limit: 'retainedTopics',
    description: 'topics that clients may retain a message on',
    default: '10000',
    read: count(UP_TO_A_MILLION),
  },
  {
    flags: '--mqtt-retained-bytes <size>',
    limit: 'retainedBytes',
    description: 'what they may weigh',
    default: '8MiB',
    read: size(SIZE),
  },
  {
    flags: '--mqtt-will-bytes <size>',
    limit: 'willBytes',
    description: 'what the last wills of all clients together may weigh',
    default: '8MiB',
    read: size(SIZE),
  },
];

/** Throws OPTION_INVALID, naming the option, the value and what is expected. */
export function brokerLimitsOf(settings: Settings): Partial<BrokerLimits> {
  return Object.fromEntries(
    BROKER_OPTIONS.map(({ flags, limit, read }) => {
      const key = optionKey(flags);
      return [limit, read(`--${key}`, requiredSetting(settings, key, 'a limit of the MQTT broker'))];
    }),
  );
}
