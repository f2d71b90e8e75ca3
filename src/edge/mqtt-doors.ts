// Where MQTT clients come in, and what the files of this node say of who they are and what they may do.
import { AccessControl, BrokerListeners, Certificates, type CertificatePart } from '../../broker/index.ts';
import type { Logger } from '../kit/logger.ts';
import { WatchedFiles, type WatchedFile } from '../kit/watched-files.ts';
import type { EdgeConfig } from './edge-config.ts';

type Tools = { readonly logger: Logger };

/** Who may come in by MQTT and where, and the files that say so. */
export function createAccess({ mqttAccess, mqttTls }: EdgeConfig, { logger }: Tools) {
  const access = new AccessControl();
  const files: WatchedFile[] = [];
  if (mqttAccess !== undefined) {
    const { users, acl } = mqttAccess;
    files.push({ file: users, isOptional: true, take: (text) => access.setUsers(text, users) });
    if (acl !== undefined) files.push({ file: acl, take: (text) => access.setAcl(text ?? '', acl) });
  }
  const certificates = mqttTls && new Certificates({ asksClients: mqttTls.clientAuthority !== undefined });
  if (certificates !== undefined) files.push(...certificateFiles(mqttTls, certificates));
  return { access, certificates, accessFiles: new WatchedFiles('mqtt-access', files, { logger }) };
}

function certificateFiles(tls: EdgeConfig['mqttTls'], certificates: Certificates): WatchedFile[] {
  const parts: readonly CertificatePart[] = ['certificate', 'key', 'clientAuthority'];
  return parts.flatMap((part) => {
    const file = tls?.[part];
    return file === undefined
      ? []
      : [{ file, take: (text: string | undefined) => certificates.take(part, text ?? '') }];
  });
}

type ListenersTools = Omit<ConstructorParameters<typeof BrokerListeners>[1], 'certificates'> &
  Pick<ReturnType<typeof createAccess>, 'certificates'>;

export function createListeners(
  { mqtt, mqttWs, mqttTls }: EdgeConfig,
  { certificates, ...tools }: ListenersTools,
): BrokerListeners {
  const sockets = {
    tcp: mqtt,
    ...(mqttWs && { ws: mqttWs }),
    ...(mqttTls?.tcp && { tls: mqttTls.tcp }),
    ...(mqttTls?.ws && { wss: mqttTls.ws }),
  };
  return new BrokerListeners(sockets, { ...tools, ...(certificates && { certificates }) });
}
