import { errorTable } from '../src/kit/errors.ts';

/** `option` is the one that changes this address. */
type Address = Readonly<{ host: string; port: number; option: string }>;

/** `limit` in milliseconds, bytes or pieces; `reason` as in the metrics. */
export type LimitReached = Readonly<{
  says: string;
  reason: string;
  limit: number | string;
  option: string | undefined;
  client: string | undefined;
}>;

export const brokerErrors = errorTable({
  BROKER_PORT_IN_USE: {
    kind: 'refused',
    message: ({ host, port, option }: Address) =>
      `another program listens on ${host}:${port}; stop it, or choose another address with ${option} (port 0 takes any free one)`,
  },
  BROKER_ADDRESS_REFUSED: {
    kind: 'refused',
    message: ({ host, port, option, reason }: Address & { reason: string }) =>
      `cannot listen on ${host}:${port}: ${reason}; choose another address with ${option}`,
  },
  BROKER_STOPPED: {
    kind: 'unavailable',
    message: ({ topic }: { topic: string }) => `cannot publish to ${topic}: the broker is not running`,
  },
  BROKER_TOPIC_TOO_LONG: {
    kind: 'refused',
    message: ({ topic, bytes }: { topic: string; bytes: number }) =>
      `cannot publish to ${topic}…: the topic has ${bytes} bytes, and MQTT allows 65535; choose a shorter one`,
  },
  BROKER_GATE_UNAVAILABLE: {
    kind: 'unavailable',
    message: ({ topic, client }: { topic: string; client: string }) =>
      `the publication of ${client} to ${topic} cannot be kept now; it is not acknowledged and must be sent again`,
  },
  BROKER_TOPIC_FORBIDDEN: {
    kind: 'refused',
    message: ({ topic, client }: { topic: string; client: string }) =>
      `${client} may not publish to ${topic}: topics under $SYS and $skerry are the broker's own, and others must be granted to its user (--mqtt-acl)`,
  },
  BROKER_USERS_MISSING: {
    kind: 'refused',
    message: ({ host, port, option }: Address) =>
      `${option} ${host}:${port} would be open to other machines, and there is no user who may come in: add one with skerry mqtt-user add NAME, or listen on 127.0.0.1`,
  },
  BROKER_CERTIFICATE_INVALID: {
    kind: 'refused',
    message: ({ part, problem }: { part: string; problem: string }) =>
      `the ${part} for MQTT over TLS does not fit the others, or is none: ${problem}`,
  },
  BROKER_CERTIFICATE_MISSING: {
    kind: 'refused',
    message: ({ option }: { option: string }) =>
      `${option} needs a certificate: name it with --mqtt-cert, and its key with --mqtt-key`,
  },
  BROKER_ORIGIN_REFUSED: {
    kind: 'refused',
    message: ({ origin, host }: { origin: string; host: string }) =>
      `a web page from ${origin} may not open a WebSocket to ${host}: only pages of this machine, or of its address, may; over TLS also those of its name`,
  },
  BROKER_TLS_REFUSED: {
    kind: 'refused',
    message: ({ problem }: { problem: string }) => `a connection over TLS is not let in: ${problem}`,
  },
  BROKER_CREDENTIALS_REFUSED: {
    kind: 'refused',
    message: ({ problem }: { problem: string; client: string }) =>
      `a client is not let in: ${problem}; skerry mqtt-user adds users`,
  },
  BROKER_CLIENT_ID_TAKEN: {
    kind: 'refused',
    message: ({ client }: { client: string }) =>
      `the client id ${client} is in use by another user, or its session waits for another; choose another client id`,
  },
  BROKER_RIGHTS_TAKEN: {
    kind: 'refused',
    message: ({ client }: { client: string }) =>
      `${client} may not come in any more, or not hear what it listens to; it may connect again with what it has left`,
  },
  BROKER_USERS_INVALID: {
    kind: 'refused',
    message: ({ file, line }: { file: string; line: number }) =>
      `line ${line} of the password file ${file} is not NAME:HASH with a hash as skerry mqtt-user makes it; mend or remove the line`,
  },
  BROKER_ACL_INVALID: {
    kind: 'refused',
    message: ({ file, line, problem }: { file: string; line: number; problem: string }) =>
      `line ${line} of the access file ${file} ${problem}`,
  },
  BROKER_CLIENT_ID_MISSING: {
    kind: 'refused',
    message: () => 'a client without a client id must ask for a clean session (MQTT-3.1.3-8)',
  },
  BROKER_PACKET_MALFORMED: {
    kind: 'refused',
    message: ({ fault }: { fault: string }) => `a packet breaks the rules of MQTT 3.1.1: ${fault}`,
  },
  BROKER_LIMIT_REACHED: {
    kind: 'refused',
    message: ({ says, limit, option }: LimitReached) =>
      `${says}: the limit is ${limit}${option === undefined ? '' : `, and ${option} raises it`}`,
  },
});
