// Which CONNECT is refused, and how (MQTT 3.1.1, 3.1.4). Pure.
interface Connecting {
  readonly clientId: string;
  readonly clean?: boolean | undefined;
  readonly protocolVersion?: number | undefined;
  readonly username?: unknown;
  readonly password?: unknown;
  readonly will?: { readonly topic: string; readonly qos?: number } | undefined;
}

/** More levels take too long to match; Aedes has the same limit for publications. */
const MOST_LEVELS = 100;
const MQTT_3_1 = 3;

/** MQTT-3.1.3-8; MQTT 3.1 knows no empty client id at all. To be answered with "identifier rejected". */
export function lacksClientId({ clientId, clean, protocolVersion }: Connecting): boolean {
  return clientId === '' && (clean === false || protocolVersion === MQTT_3_1);
}

/** What ends the connection without an answer. */
export function faultOfConnect({ username, password, will }: Connecting): string | undefined {
  if (password !== undefined && username === undefined) return 'it has a password and no user name (MQTT-3.1.2-22)';
  if (will === undefined) return undefined;
  if ((will.qos ?? 0) > 2) return 'its will has QoS 3 (MQTT-3.1.2-14)';
  if (will.topic === '' || /[+#]/.test(will.topic)) return 'its will has an invalid topic (MQTT-3.3.2-2, MQTT-4.7.3-1)';
  return will.topic.split('/').length > MOST_LEVELS ? 'the topic of its will has too many levels' : undefined;
}
