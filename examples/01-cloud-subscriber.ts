// What a cloud service sees: every value of every device, as it reaches the stream.
//
//   node dist/examples/01-cloud-subscriber.js nats://USER:PASSWORD@127.0.0.1:4222
//
// The demo prints the address. Subjects and fields: docs/reference/subjects.md.
import { connect } from 'nats';

interface TwinEvent {
  readonly type: string;
  readonly subject: string;
  readonly time: string;
  readonly data: {
    readonly property?: string;
    readonly value?: string;
    readonly state?: string;
    readonly historical?: boolean;
  };
}

const address = process.argv[2];
if (address === undefined || !URL.canParse(address)) {
  console.error('usage: node dist/examples/01-cloud-subscriber.js nats://USER:PASSWORD@HOST:PORT');
  process.exit(2);
}

const { host, username, password } = new URL(address);
const connection = await connect({
  servers: host,
  user: decodeURIComponent(username),
  pass: decodeURIComponent(password),
  maxReconnectAttempts: -1,
});
process.once('SIGINT', () => void connection.close());
process.once('SIGTERM', () => void connection.close());

// A plain subscription sees what happens from now on; a durable consumer on the stream `skerry-up` would miss nothing.
for await (const message of connection.subscribe('skerry.*.up.>')) {
  for (const event of message.json<readonly TwinEvent[]>()) console.log(lineOf(event));
}

function lineOf({ type, subject, time, data }: TwinEvent): string {
  const what = data.property === undefined ? `is ${data.state ?? '?'}` : `${data.property} = ${data.value ?? ''}`;
  const kind = type.split('.').at(-2) ?? type;
  return `${time}  ${subject}  ${kind}  ${what}${data.historical === true ? '  (from the backlog)' : ''}`;
}
