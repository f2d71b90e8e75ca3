// A cloud service in a few lines: it subscribes to what every node reports and prints each value.
//
//   node dist/examples/01-cloud-subscriber.js nats://viewer:PASSWORD@127.0.0.1:4222
//
// The demo prints the URL; a hub keeps it in `nats-viewer.json` of its data directory. A core subscription sees what happens from
// now on; a JetStream consumer of `skerry-up` would also see what happened before.
import { connect } from 'nats';

const url = new URL(process.argv[2] ?? '');
const connection = await connect({
  servers: url.host,
  user: url.username,
  pass: url.password,
  inboxPrefix: '_INBOX_viewer',
});
process.once('SIGINT', () => void connection.drain());
process.once('SIGTERM', () => void connection.drain());

interface CloudEvent {
  readonly subject: string;
  readonly time: string;
  readonly data: {
    readonly property?: string;
    readonly value?: string;
    readonly state?: string;
    readonly historical?: boolean;
  };
}

for await (const message of connection.subscribe('skerry.*.up.>')) {
  for (const { time, subject, data } of message.json<readonly CloudEvent[]>()) {
    const what = data.state === undefined ? `${data.property ?? ''} = ${data.value ?? ''}` : `is ${data.state}`;
    console.log(`${time}  ${subject}  ${what}${data.historical === true ? '  (while the link was down)' : ''}`);
  }
}
