import { NatsLink } from '../../../src/nats/nats-link.ts';
import { Deadline } from '../../../src/kit/deadline.ts';
import { silentLogger } from '../../../src/kit/logger.ts';
import { seconds } from '../../../src/kit/units.ts';
import type { TestNats } from '../../support/nats-server.ts';
import { waitUntil } from '../../support/wait-until.ts';

/** A link to a test server, connected; disposal stops it. */
export async function linkTo(
  nats: Pick<TestNats, 'url' | 'user' | 'password'>,
  inboxPrefix = '_INBOX_test',
): Promise<{ readonly link: NatsLink } & AsyncDisposable> {
  const { url, user, password } = nats;
  const credentials = () => ({ url, user, password });
  const link = new NatsLink({ credentials, clientName: 'test', inboxPrefix }, { logger: silentLogger });
  await link.start(new AbortController().signal);
  await waitUntil('the link to NATS', () => link.connected);
  return { link, [Symbol.asyncDispose]: () => link.stop(Deadline.after(seconds(2))) };
}
