// The broker's only door.
export { AccessControl } from './access/access-control.ts';
export { DEFAULT_ACL } from './access/acl.ts';
export { formatUsers, parseUsers, type Users } from './access/password-file.ts';
export { hashPassword, parseHash } from './access/passwords.ts';
export { Certificates, type CertificatePart } from './certificates.ts';
export { isUserName } from './access/user-names.ts';
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
