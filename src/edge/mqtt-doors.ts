// Where MQTT clients come in, and what the files of this node say of who they are and what they may do.
import { AccessControl, BrokerListeners } from '../../broker/index.ts';
import type { Logger } from '../kit/logger.ts';
import { WatchedFiles, type WatchedFile } from '../kit/watched-files.ts';
import type { EdgeConfig } from './edge-config.ts';

export function createListeners(
  { mqtt, mqttWs }: EdgeConfig,
  tools: ConstructorParameters<typeof BrokerListeners>[1],
): BrokerListeners {
  return new BrokerListeners({ tcp: mqtt, ...(mqttWs === undefined ? {} : { ws: mqttWs }) }, tools);
}

/** Who may come in by MQTT, and the files that say so. */
export function createAccess({ mqttAccess }: EdgeConfig, { logger }: { readonly logger: Logger }) {
  const access = new AccessControl();
  const files: WatchedFile[] = [];
  if (mqttAccess !== undefined) {
    const { users, acl } = mqttAccess;
    files.push({ file: users, isOptional: true, take: (text) => access.setUsers(text, users) });
    if (acl !== undefined) files.push({ file: acl, take: (text) => access.setAcl(text ?? '', acl) });
  }
  return { access, accessFiles: new WatchedFiles('mqtt-access', files, { logger }) };
}
