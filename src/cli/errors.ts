import { errorTable } from '../kit/errors.ts';

export const cliErrors = errorTable({
  OPTION_INVALID: {
    kind: 'refused',
    message: ({ option, value, expected }: { option: string; value: string; expected: string }) =>
      `${option} ${JSON.stringify(value)}: expected ${expected}`,
  },
  OPTION_MISSING: {
    kind: 'refused',
    message: ({ option, purpose }: { option: string; purpose: string }) => `${option} is missing: ${purpose}`,
  },
  SECRET_READABLE: {
    kind: 'refused',
    message: ({ readable }: { readable: readonly { readonly file: string; readonly mode: number }[] }) =>
      `everybody on this machine can read ${readable.map(({ file, mode }) => `${file} (mode ${mode.toString(8).padStart(4, '0')})`).join(', ')}: run chmod 600 ${readable.map(({ file }) => file).join(' ')}, and replace what others may have read`,
  },
  CONFIG_UNREADABLE: {
    kind: 'refused',
    message: ({ file, problem }: { file: string; problem: string }) => `the configuration file ${file} ${problem}`,
  },
  CONFIG_KEY_UNKNOWN: {
    kind: 'refused',
    message: ({ file, key, known }: { file: string; key: string; known: string }) =>
      `the configuration file ${file} has the key "${key}", which this command does not know; it knows ${known}`,
  },
  PART_FAILED: {
    kind: 'refused',
    message: ({ part, reason, log }: { part: string; reason: string; log: string }) =>
      `the ${part} did not start: ${reason} (its log is ${log})`,
  },
  CHAOS_DATA_DIR_IN_USE: {
    kind: 'refused',
    message: ({ dataDir }: { dataDir: string }) =>
      `${dataDir} holds something already; a run begins with an empty folder, so name another with --data-dir`,
  },
  CHAOS_NOT_DRAINED: {
    kind: 'broken',
    message: ({ waiting, seed }: { waiting: string; seed: number }) =>
      `faults have ended, and still not everything has arrived: ${waiting}, and no less for a minute; the logs in the data dir tell why (seed ${seed})`,
  },
  CHAOS_MESSAGE_UNREADABLE: {
    kind: 'broken',
    message: ({ sequence, reason }: { sequence: number; reason: string }) =>
      `message ${sequence} of the stream cannot be read: ${reason}`,
  },
  API_PORT_IN_USE: {
    kind: 'refused',
    message: ({ host, port }: { host: string; port: number }) =>
      `${host}:${port} is in use by another program; choose another address for the Kubernetes API with --api (port 0 takes any free one)`,
  },
  DEVICE_NOT_FOUND: {
    kind: 'refused',
    message: ({ device, where }: { device: string; where: string }) =>
      `there is no device ${device} at ${where}; list them with kubectl get devices -A`,
  },
  PROPERTY_NOT_FOUND: {
    kind: 'refused',
    message: ({ device, property, known }: { device: string; property: string; known: string }) =>
      `the device ${device} has no property "${property}"; it has ${known}`,
  },
  OVERRIDE_NOT_FOUND: {
    kind: 'refused',
    message: ({ device, property }: { device: string; property: string | undefined }) =>
      `no local override${property === undefined ? '' : ` of "${property}"`} stands at the node of ${device}; status.overrides of the Device lists those that do`,
  },
  MQTT_USER_UNKNOWN: {
    kind: 'refused',
    message: ({ name, file }: { name: string; file: string }) =>
      `there is no user ${name} in ${file}; skerry mqtt-user list shows who there is`,
  },
  EDGE_NOT_FOUND: {
    kind: 'refused',
    message: ({ dataDir }: { dataDir: string }) =>
      `no edge node has run in ${dataDir}; name one with --edge http://HOST:PORT, or its folder with --data-dir`,
  },
  EDGE_UNREACHABLE: {
    kind: 'unavailable',
    message: ({ url }: { url: string }) => `no edge node answers at ${url}; start it, or give its address with --edge`,
  },
  EDGE_REFUSED: {
    kind: 'refused',
    message: ({ reason }: { reason: string }) => reason,
  },
  DATA_DIR_EMPTY: {
    kind: 'refused',
    message: ({ dataDir, file }: { dataDir: string; file: string }) =>
      `${file} is missing: no hub has run in ${dataDir}; start one, or name another with --data-dir or --kubeconfig`,
  },
});

export const unknownProperty = (device: string, property: string, known: readonly string[]): Error =>
  cliErrors.PROPERTY_NOT_FOUND({ device, property, known: known.join(', ') || 'none' });
