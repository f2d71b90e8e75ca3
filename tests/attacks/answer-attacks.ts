// By way of answers: a node may have the server send one wherever it likes (ADR 0034).
import { headers } from 'nats';
import { fullAccess } from '../../src/cloud/full-access.ts';
import {
  bucketSubject,
  chainSubject,
  CLAIM_BUCKET,
  claimKey,
  DESIRED_BUCKET,
  DESIRED_STREAM,
  desiredKey,
  heartbeatSubject,
  indexKey,
  stateSubject,
  UP_STREAM,
} from '../../src/wire/nats-subjects.ts';
import type { Attack } from './attack.ts';
import { ATTACKER, VICTIM, type AttackedSite } from './attacked-site.ts';
import { asNode, ofNats } from './nats-attacks.ts';

const PUMP = { namespace: 'default', name: 'pump' };
const DESIRED_PUMP = bucketSubject(DESIRED_BUCKET, desiredKey(VICTIM, 'device', PUMP));
const INDEX = bucketSubject(DESIRED_BUCKET, indexKey(VICTIM));
const VALUES = chainSubject(VICTIM, 'twin', PUMP);
const OWN = chainSubject(ATTACKER, 'twin', PUMP);
const HANDED_OUT = `$JS.API.DIRECT.GET.${UP_STREAM}.${OWN}`;

const answered = (what: string, place: string, request: string, reply: string, status = 0): Attack => ({
  ...{ door: 'NATS', what },
  counted: { at: 'hub', name: 'skerry_hub_forged_messages_total', series: `place="${place}"` },
  logged: new RegExp(`forged: somebody had the NATS server answer there .*"place":"${place}"`),
  attempt: (site) =>
    site.withNats(site.attacker.nats, async (connection) => {
      // No message id: the stream would know it again.
      const body = status === 0 ? '{"what":"another node shall believe"}' : '';
      connection.publish(OWN, body, status === 0 ? {} : { headers: headers(status, 'nothing here') });
      connection.publish(request, '', { reply });
      await connection.flush();
    }),
});

export const ANSWERED: readonly Attack[] = [
  answered('its own message, handed out into the values of another node', 'report', HANDED_OUT, VALUES),
  answered('what the server says to a publish, into the values of another node', 'report', OWN, VALUES),
  answered(
    'its own message, handed out into the state of another node',
    'report',
    HANDED_OUT,
    stateSubject(VICTIM, PUMP),
  ),
  answered('its own message, handed out as a heartbeat', 'heartbeat', HANDED_OUT, heartbeatSubject(VICTIM)),
  answered('its own message, handed out over what another node shall do', 'desired', HANDED_OUT, DESIRED_PUMP),
  answered('what the server says to a publish, over what another node shall do', 'desired', OWN, DESIRED_PUMP),
  answered('its own message, handed out over the index of another node', 'desired', HANDED_OUT, INDEX),
  ofNats('an answer that would acknowledge for the hub', 'publish', (site) => {
    const reply = `$JS.ACK.${UP_STREAM}.hub.1.1.1.1.0`;
    return asNode(site, reply, (connection) => connection.publish(HANDED_OUT, '', { reply }));
  }),
];

/** At the end of a chain, what looks as if the server said that it is empty, or that nobody is there. */
export const saying = (status: number): Attack =>
  answered(
    `a message of status ${status}, handed out into the values of another node`,
    'report',
    HANDED_OUT,
    VALUES,
    status,
  );

/** Over the claim of another node: nobody counts it, and the other node claims its name again. */
export async function overTheClaim(site: AttackedSite): Promise<void> {
  const reply = bucketSubject(CLAIM_BUCKET, claimKey(VICTIM));
  await site.withNats(site.attacker.nats, async (connection) => {
    connection.publish(HANDED_OUT, '', { reply });
    await connection.flush();
  });
}

/** What another node shall do, and its index, as they stand in the bucket. */
export async function desiredOfTheVictim(site: AttackedSite): Promise<readonly string[]> {
  return await site.withNats(await fullAccess(site.hubDir, site.attacker.nats.url), async (connection) => {
    const jsm = await connection.jetstreamManager();
    const last = (subject: string) => jsm.streams.getMessage(DESIRED_STREAM, { last_by_subj: subject });
    const [object, index] = [await last(DESIRED_PUMP), await last(INDEX)].map(({ data }) =>
      Buffer.from(data).toString(),
    );
    return [object ?? '', JSON.stringify((JSON.parse(index ?? '') as { keys?: object }).keys)];
  });
}

/** Where the server answers the victim while that is at work: a place that could be guessed could be answered from elsewhere. */
export async function placesOfAnswers(site: AttackedSite, work: () => Promise<void>): Promise<readonly string[]> {
  return await site.withNats(await fullAccess(site.hubDir, site.attacker.nats.url), async (connection) => {
    const heard: string[] = [];
    connection.subscribe(`_INBOX_${VICTIM}.>`, { callback: (_error, { subject }) => void heard.push(subject) });
    await connection.flush();
    await work();
    return heard;
  });
}
