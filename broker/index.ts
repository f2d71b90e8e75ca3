// The broker's only door.
export { Broker, type BrokerConfig, type PublishOptions } from './broker.ts';
export type { ClientWatcher, Departure, WatchedClient } from './client-watcher.ts';
export {
  BrokerListeners,
  type BrokerAddress,
  type BrokerAddresses,
  type BrokerListenersConfig,
  type ListenAddress,
} from './listeners.ts';
export { DEFAULT_LIMITS, type BrokerLimits } from './limits.ts';
export { brokerErrors } from './errors.ts';
export type { Admission, Publication, PublishGate } from './publish-gate.ts';
export type { SessionChange, SessionChanges, SessionStorage } from './sessions/session-storage.ts';
