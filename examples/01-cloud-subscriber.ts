// A cloud service in a few lines: it subscribes to what every node reports and prints each value, and each message that a client of
// a node published for the cloud.
//
//   node dist/examples/01-cloud-subscriber.js .skerry/demo/nats-viewer.json
//
// A hub keeps that file in its data directory: an address, and JWT and key of somebody who may only listen. A core subscription sees what happens from
// now on; a JetStream consumer of `skerry-up` would also see what happened before.
import { readFileSync } from 'node:fs';
import { connect, jwtAuthenticator } from 'nats';

const file = process.argv[2] ?? '.skerry/demo/nats-viewer.json';
const access = JSON.parse(readFileSync(file, 'utf8')) as {
  readonly url: string;
  readonly jwt: string;
  readonly seed: string;
};
const connection = await connect({
  servers: access.url,
  authenticator: jwtAuthenticator(access.jwt, new TextEncoder().encode(access.seed)),
  inboxPrefix: '_INBOX__viewer',
  // An outage may take as long as it likes.
  maxReconnectAttempts: -1,
});
process.once('SIGINT', () => void connection.drain());
process.once('SIGTERM', () => void connection.drain());

interface CloudEvent {
  readonly type: string;
  readonly subject?: string;
  readonly time: string;
  readonly topic?: string;
  readonly data_base64?: string;
  readonly data?: {
    readonly property?: string;
    readonly value?: string;
    readonly state?: string;
    readonly historical?: boolean;
  };
}

for await (const message of connection.subscribe('skerry.*.up.>')) {
  // Nobody said this: somebody had the server send an answer here (docs/reference/subjects.md, what to believe).
  if (message.headers?.has('Nats-Stream') === true) continue;
  for (const event of message.json<readonly CloudEvent[]>()) {
    const { type, time, subject = '', topic = '', data = {} } = event;
    if (type === 'io.skerry.message.v1') {
      const payload =
        event.data_base64 === undefined ? JSON.stringify(event.data) : Buffer.from(event.data_base64, 'base64');
      console.log(`${time}  ${topic}  ${payload.toString()}`);
    }
    // The other types are for other readers: `io.skerry.twin.observed.v1` says which desired value the device's side has seen.
    if (type !== 'io.skerry.twin.reported.v1' && type !== 'io.skerry.device.state.v1') continue;
    const what = data.state === undefined ? `${data.property ?? ''} = ${data.value ?? ''}` : `is ${data.state}`;
    console.log(`${time}  ${subject}  ${what}${data.historical === true ? '  (while the link was down)' : ''}`);
  }
}
