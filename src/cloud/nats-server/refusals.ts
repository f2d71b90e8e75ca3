// What a nats-server says in its log of those it refuses. Pure. The forms are those of nats-server 2.9 to 2.10 (server/client.go).

export const NATS_REFUSALS = [
  'publish',
  'subscribe',
  'authentication',
  'handshake',
  'payload',
  'subscriptions',
] as const;
export type NatsRefusal = (typeof NATS_REFUSALS)[number];

export interface RefusedByNats {
  readonly reason: NatsRefusal;
  /** Host and port it came from. */
  readonly address: string;
  /** Public key, where it had shown one. */
  readonly user?: string;
  readonly subject?: string;
}

const LINE = /\[ERR\] (\S+) - \w+:\d+ - (?:"[^"]*" - )?(.+)$/;
const SAYS: readonly (readonly [form: RegExp, reason: NatsRefusal])[] = [
  [/^Publish Violation/, 'publish'],
  [/^Subscription Violation/, 'subscribe'],
  [/^authentication error/, 'authentication'],
  // Whoever looks whether the server is there, as the hub does, ends with EOF. A line about the time-out may follow.
  [/^TLS handshake error: (?!EOF)/, 'handshake'],
  [/^maximum payload exceeded/, 'payload'],
  [/^maximum subscriptions exceeded/, 'subscriptions'],
];

/** `undefined` for a line that says something else. */
export function refusalOf(line: string): RefusedByNats | undefined {
  const [, address, said = ''] = LINE.exec(line) ?? [];
  const reason = SAYS.find(([form]) => form.test(said))?.[1];
  if (address === undefined || reason === undefined) return undefined;
  const user = /(?:Nkey|User) "([^"]*)"/.exec(said)?.[1];
  const subject = /(?:Subject|Reply) "([^"]*)"/.exec(said)?.[1];
  return { reason, address, ...(user !== undefined && { user }), ...(subject !== undefined && { subject }) };
}
