// MQTT 3.1.1 packets byte by byte, so that what no library would write can be written as well.

export type Qos = 0 | 1 | 2;

/** A text, or its bytes where they are not to be a text. */
export type Field = string | Uint8Array;

export interface WillFields {
  readonly topic: Field;
  readonly payload?: Field;
  readonly qos?: number;
  readonly retain?: boolean;
}

export interface ConnectFields {
  readonly id?: Field;
  /** Default true. */
  readonly clean?: boolean;
  /** Seconds; default 0, which is none. */
  readonly keepalive?: number;
  readonly will?: WillFields;
  readonly username?: Field;
  readonly password?: Field;
  readonly protocol?: Field;
  readonly level?: number;
  /** In place of those that the other fields would make. */
  readonly flags?: number;
}

export interface PublishFields {
  readonly qos?: Qos;
  readonly id?: number;
  readonly dup?: boolean;
  readonly retain?: boolean;
}

const bytesOf = (field: Field): Buffer => (typeof field === 'string' ? Buffer.from(field) : Buffer.from(field));

export function text(field: Field): Buffer {
  const bytes = bytesOf(field);
  return Buffer.concat([u16(bytes.length), bytes]);
}

export const u16 = (value: number): Buffer => Buffer.of(value >> 8, value & 0xff);

/** As short as can be, as 2.2.3 shows it. */
export function remainingLength(length: number): Buffer {
  const bytes: number[] = [];
  for (let rest = length; ; rest = Math.floor(rest / 128)) {
    if (rest < 128) return Buffer.of(...bytes, rest);
    bytes.push((rest % 128) | 0x80);
  }
}

/** Any first byte with any body. */
export function packet(header: number, ...body: readonly Uint8Array[]): Buffer {
  const whole = Buffer.concat(body);
  return Buffer.concat([Buffer.of(header), remainingLength(whole.length), whole]);
}

export function connect(fields: ConnectFields = {}): Buffer {
  const { id = 'client', keepalive = 0, will, username, password, protocol = 'MQTT', level = 4 } = fields;
  const flags = fields.flags ?? connectFlags(fields);
  return packet(
    0x10,
    text(protocol),
    Buffer.of(level, flags),
    u16(keepalive),
    text(id),
    ...(will === undefined ? [] : [text(will.topic), text(will.payload ?? '')]),
    ...(username === undefined ? [] : [text(username)]),
    ...(password === undefined ? [] : [text(password)]),
  );
}

function connectFlags({ clean = true, will, username, password }: ConnectFields): number {
  const willFlags = will === undefined ? 0 : 0x04 | ((will.qos ?? 0) << 3) | (will.retain === true ? 0x20 : 0);
  return (clean ? 0x02 : 0) | willFlags | (username === undefined ? 0 : 0x80) | (password === undefined ? 0 : 0x40);
}

export function publish(topic: Field, payload: Field, { qos = 0, id = 1, dup, retain }: PublishFields = {}): Buffer {
  const header = 0x30 | (qos << 1) | (dup === true ? 0x08 : 0) | (retain === true ? 0x01 : 0);
  return packet(header, text(topic), ...(qos === 0 ? [] : [u16(id)]), bytesOf(payload));
}

export const puback = (id: number): Buffer => packet(0x40, u16(id));
export const pubrec = (id: number): Buffer => packet(0x50, u16(id));
export const pubrel = (id: number): Buffer => packet(0x62, u16(id));
export const pubcomp = (id: number): Buffer => packet(0x70, u16(id));

export function subscribe(id: number, ...filters: readonly (readonly [filter: Field, qos: number])[]): Buffer {
  return packet(0x82, u16(id), ...filters.flatMap(([filter, qos]) => [text(filter), Buffer.of(qos)]));
}

export function unsubscribe(id: number, ...filters: readonly Field[]): Buffer {
  return packet(0xa2, u16(id), ...filters.map(text));
}

export const PINGREQ = Buffer.of(0xc0, 0);
export const DISCONNECT = Buffer.of(0xe0, 0);
