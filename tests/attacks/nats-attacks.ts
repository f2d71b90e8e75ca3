// With the valid credentials of a node: what belongs to another node, to the hub, or to nobody.
import { connect as connectPlain } from 'node:net';
import assert from 'node:assert/strict';
import { join } from 'node:path';
import type { NatsConnection } from 'nats';
import { Authority } from '../../src/cloud/authority/authority.ts';
import { fullAccess } from '../../src/cloud/full-access.ts';
import { systemClock } from '../../src/kit/clock.ts';
import { silentLogger } from '../../src/kit/logger.ts';
import { createKeyPair, keyPairFromSeed } from '../../src/nats/nkeys.ts';
import { encodeJwt } from '../../src/nats/nats-jwt.ts';
import {
  bucketSubject,
  chainSubject,
  CLAIM_BUCKET,
  CLAIM_STREAM,
  claimKey,
  DESIRED_BUCKET,
  DESIRED_STREAM,
  desiredKey,
  heartbeatSubject,
  HUB_INBOX,
  inboxPrefix,
  indexKey,
  messageSubject,
  nodePermissions,
  poisonSubject,
  STATE_STREAM,
  stateSubject,
  UP_STREAM,
} from '../../src/wire/nats-subjects.ts';
import type { NatsAccess } from '../../src/wire/node-identity.ts';
import { waitUntil } from '../support/wait-until.ts';
import type { Attack, Counted } from './attack.ts';
import { ATTACKER, VICTIM, type AttackedSite } from './attacked-site.ts';

const PUMP = { namespace: 'default', name: 'pump' };
const DESIRED_PUMP = bucketSubject(DESIRED_BUCKET, desiredKey(VICTIM, 'device', PUMP));
const VALUES = chainSubject(VICTIM, 'twin', PUMP);
const DIRECT = '$JS.API.DIRECT.GET';
const CONSUMER = '$JS.API.CONSUMER';
const STREAM = '$JS.API.STREAM';

const counted = (reason: string): Counted => ({
  ...{ at: 'hub', name: 'skerry_hub_nats_refusals_total', series: `reason="${reason}"` },
});
const logged = (reason: string): RegExp => new RegExp(`refused by NATS .*"reason":"${reason}"`);
export const ofNats = (what: string, reason: string, attempt: Attack['attempt'], times = 1): Attack => ({
  ...{ door: 'NATS', what, times, counted: counted(reason), logged: logged(reason), attempt },
});

/** The server names the attempt in its own log, every one of them. */
export async function asNode(
  site: AttackedSite,
  subject: string,
  use: (connection: NatsConnection) => void,
): Promise<void> {
  await site.withNats(site.attacker.nats, async (connection) => {
    use(connection);
    await connection.flush();
  });
  const named = `"${subject}"`;
  await waitUntil(`the server to name ${subject}`, async () =>
    (await site.natsLog()).split('\n').some((line) => line.includes('Violation') && line.includes(named)),
  );
}

const publish = (what: string, subject: string, body: string | object = 'forged'): Attack =>
  ofNats(what, 'publish', (site) =>
    asNode(site, subject, (connection) => {
      const payload = typeof body === 'string' ? body : JSON.stringify(body);
      connection.publish(subject, payload, { reply: `${inboxPrefix(ATTACKER)}.answer` });
    }),
  );

const subscribe = (what: string, subject: string, queue?: string): Attack =>
  ofNats(what, 'subscribe', (site) =>
    asNode(site, subject, (connection) => {
      connection.subscribe(subject, { callback: () => undefined, ...(queue === undefined ? {} : { queue }) });
    }),
  );

export const SPEAKING: readonly Attack[] = [
  publish('values as another node', VALUES),
  publish('events as another node', chainSubject(VICTIM, 'event', PUMP)),
  publish('telemetry as another node', chainSubject(VICTIM, 'telemetry', PUMP)),
  publish('messages as another node', messageSubject(VICTIM)),
  publish('a state as another node', stateSubject(VICTIM, PUMP)),
  publish('a heartbeat as another node', heartbeatSubject(VICTIM)),
  publish('the claim of another node', bucketSubject(CLAIM_BUCKET, claimKey(VICTIM))),
  publish('what another node shall do', DESIRED_PUMP),
  publish('the index of another node', bucketSubject(DESIRED_BUCKET, indexKey(VICTIM))),
  publish('what it shall do itself', bucketSubject(DESIRED_BUCKET, desiredKey(ATTACKER, 'device', PUMP))),
  publish('a message set aside', poisonSubject(UP_STREAM, VICTIM, 1)),
  publish('into the inbox of another node', `${inboxPrefix(VICTIM)}.1`),
  publish('into the inbox of the hub', `${HUB_INBOX}.1`),
  publish('acknowledging for the hub', `$JS.ACK.${UP_STREAM}.hub.1.1.1.1.0`, '+ACK'),
  publish('ending a delivery of the hub', `$JS.ACK.${STATE_STREAM}.hub.1.1.1.1.0`, '+TERM'),
  publish('new claims of an account', '$SYS.REQ.CLAIMS.UPDATE'),
  publish('a ping to all servers', '$SYS.REQ.SERVER.PING'),
];

export const READING: readonly Attack[] = [
  publish('what another node shall do, by subject', `${DIRECT}.${DESIRED_STREAM}.${DESIRED_PUMP}`, ''),
  publish(
    'the index of another node',
    `${DIRECT}.${DESIRED_STREAM}.${bucketSubject(DESIRED_BUCKET, indexKey(VICTIM))}`,
    '',
  ),
  publish('what every node shall do, by wildcard', `${DIRECT}.${DESIRED_STREAM}.${bucketSubject(DESIRED_BUCKET, '>')}`),
  publish('what another node said, by subject', `${DIRECT}.${UP_STREAM}.${VALUES}`, ''),
  publish(
    'the claim of another node',
    `${DIRECT}.${CLAIM_STREAM}.${bucketSubject(CLAIM_BUCKET, claimKey(VICTIM))}`,
    '',
  ),
  publish('what was said, by number', `${DIRECT}.${UP_STREAM}`, { seq: 1 }),
  publish('what nodes shall do, by number', `${DIRECT}.${DESIRED_STREAM}`, { seq: 1 }),
  publish('what nodes shall do, by subject in the body', `${DIRECT}.${DESIRED_STREAM}`, { last_by_subj: DESIRED_PUMP }),
  publish('a message of the stream of values', `${STREAM}.MSG.GET.${UP_STREAM}`, { seq: 1 }),
  publish('a message of the desired bucket', `${STREAM}.MSG.GET.${DESIRED_STREAM}`, { last_by_subj: DESIRED_PUMP }),
  subscribe('what another node says', `skerry.${VICTIM}.>`),
  subscribe('what every node says', 'skerry.>'),
  subscribe('everything', '>'),
  subscribe('what nodes shall do', `$KV.${DESIRED_BUCKET}.>`),
  subscribe('what another node shall do', `$KV.${DESIRED_BUCKET}.${VICTIM}.>`),
  subscribe('the inbox of another node', `${inboxPrefix(VICTIM)}.>`),
  subscribe('the inbox of another node, sharing it', `${inboxPrefix(VICTIM)}.*`, 'shared'),
  subscribe('the inbox of the hub', `${HUB_INBOX}.>`),
  subscribe('heartbeats in place of the hub', 'skerry.*.heartbeat', 'hub'),
  subscribe('requests to JetStream', '$JS.API.>'),
  subscribe('events of the server', '$SYS.>'),
];

const CONFIG = { name: UP_STREAM, subjects: ['skerry.*.up.>'] };
const SPY = { stream_name: UP_STREAM, config: { deliver_subject: `${inboxPrefix(ATTACKER)}.spy`, ack_policy: 'none' } };

export const RULING: readonly Attack[] = [
  publish('making a consumer', `${CONSUMER}.CREATE.${UP_STREAM}`, SPY),
  publish('making a named consumer', `${CONSUMER}.CREATE.${UP_STREAM}.spy.skerry.${VICTIM}.>`, SPY),
  publish('making a lasting consumer', `${CONSUMER}.DURABLE.CREATE.${UP_STREAM}.spy`, SPY),
  publish('making a consumer of the desired bucket', `${CONSUMER}.CREATE.${DESIRED_STREAM}`, SPY),
  publish('binding to a consumer', `${CONSUMER}.MSG.NEXT.${UP_STREAM}.hub`, { batch: 10 }),
  publish('listing consumers', `${CONSUMER}.LIST.${UP_STREAM}`),
  publish('asking of a consumer', `${CONSUMER}.INFO.${UP_STREAM}.hub`),
  publish('deleting a consumer', `${CONSUMER}.DELETE.${UP_STREAM}.hub`),
  publish('purging a stream', `${STREAM}.PURGE.${UP_STREAM}`, { filter: VALUES }),
  publish('deleting a stream', `${STREAM}.DELETE.${UP_STREAM}`),
  publish('deleting a message', `${STREAM}.MSG.DELETE.${UP_STREAM}`, { seq: 1 }),
  publish('changing a stream', `${STREAM}.UPDATE.${UP_STREAM}`, { ...CONFIG, max_msgs: 1 }),
  publish('making a stream', `${STREAM}.CREATE.evil`, { name: 'evil', subjects: ['evil.>'] }),
  publish('copying a stream', `${STREAM}.SNAPSHOT.${UP_STREAM}`, { deliver_subject: 'evil' }),
  publish('asking of a stream', `${STREAM}.INFO.${UP_STREAM}`),
  publish('listing streams', `${STREAM}.NAMES`),
  publish('asking of the account', '$JS.API.INFO'),
];

const FLOOD = 3_000;

export const EXHAUSTING: readonly Attack[] = [
  ofNats(
    'a flood',
    'publish',
    (site) =>
      asNode(site, VALUES, (connection) => {
        for (let sent = 0; sent < FLOOD; sent += 1) connection.publish(VALUES, 'flood');
      }),
    FLOOD,
  ),
  ofNats('more subscriptions than a node needs', 'subscriptions', (site) =>
    site.withNats(site.attacker.nats, async (connection) => {
      for (let made = 0; made < 100; made += 1)
        connection.subscribe(`${inboxPrefix(ATTACKER)}.${made}`, { callback: () => undefined });
      await connection.flush();
    }),
  ),
  ofNats('a message larger than a stream takes', 'payload', (site) =>
    site.withNats(site.attacker.nats, async (connection) => {
      // The library would refuse it by what the server told it.
      Object.assign(connection.info ?? {}, { max_payload: 64 * 1024 * 1024 });
      connection.publish(heartbeatSubject(ATTACKER), new Uint8Array(4 * 1024 * 1024));
      await connection.closed();
    }),
  ),
];

async function refusedWith(site: AttackedSite, access: NatsAccess): Promise<void> {
  await assert.rejects(
    site.withNats(access, () => Promise.resolve()),
    /Authorization Violation/i,
  );
}

const entering = (what: string, accessOf: (site: AttackedSite) => Promise<NatsAccess> | NatsAccess): Attack =>
  ofNats(what, 'authentication', async (site) => refusedWith(site, await accessOf(site)));

const authorityIn = (dir: string): Promise<Authority> =>
  Authority.open(dir, { clock: systemClock, logger: silentLogger });

const wanted = (seed: string) => ({
  ...{ name: ATTACKER, publicKey: keyPairFromSeed(seed).publicKey, permissions: nodePermissions(ATTACKER) },
});

export const ENTERING: readonly Attack[] = [
  entering('a JWT with rights written in', ({ attacker: { nats } }) => {
    const [header = '', body = '', signature = ''] = nats.jwt.split('.');
    const claims = JSON.parse(Buffer.from(body, 'base64url').toString()) as { nats: object };
    const edited = { ...claims, nats: { ...claims.nats, pub: {}, sub: {} } };
    return { ...nats, jwt: [header, Buffer.from(JSON.stringify(edited)).toString('base64url'), signature].join('.') };
  }),
  entering('a JWT that has ended', async ({ hubDir, attacker: { nats } }) => {
    const expiresAt = new Date(Date.now() - 60_000);
    return { ...nats, jwt: (await authorityIn(hubDir)).mintUser({ ...wanted(nats.seed), expiresAt }) };
  }),
  entering('a JWT of another authority', async ({ world, attacker: { nats } }) => ({
    ...{ ...nats, jwt: (await authorityIn(join(world.dir, 'other'))).mintUser(wanted(nats.seed)) },
  })),
  entering('a JWT that it signed itself', ({ attacker: { nats } }) => {
    const own = keyPairFromSeed(nats.seed);
    const claims = { subject: own.publicKey, name: VICTIM, issuedAt: Date.now(), nats: { type: 'user' } };
    return { ...nats, jwt: encodeJwt(own, claims) };
  }),
  entering('a JWT without the key that goes with it', ({ attacker: { nats } }) => ({
    ...{ ...nats, seed: createKeyPair('user').seed },
  })),
  entering('a name and a password', ({ attacker: { nats } }) => ({ url: nats.url, user: 'hub', password: 'hub' })),
  entering('a JWT that was revoked', async (site) => {
    const { nats } = await site.join('plant-8');
    await site.withNats(nats, () => Promise.resolve());
    await site.joining.revokeNode('plant-8');
    const isOut = (): Promise<boolean> =>
      site.withNats(nats, () => Promise.resolve(false)).catch((error: unknown) => /Authorization/i.test(String(error)));
    await waitUntil('the key to be void', isOut);
    return nats;
  }),
];

/** It may speak for itself: what it says must not be more than that. */
const forged = (what: string, bodyOf: (site: AttackedSite) => Promise<Uint8Array> | Uint8Array): Attack => ({
  ...{ door: 'NATS', what },
  counted: { at: 'hub', name: 'skerry_hub_poison_messages_total' },
  logged: /set aside/,
  attempt: async (site) => {
    const body = await bodyOf(site);
    await site.withNats(site.attacker.nats, async (connection) => {
      connection.publish(chainSubject(ATTACKER, 'twin', PUMP), body);
      await connection.flush();
    });
  },
});

export const FORGING: readonly Attack[] = [
  forged('an envelope that is none', () => Buffer.from('{"not":"an envelope"}')),
  forged('an envelope about the device of another node', async (site) =>
    site.withNats(await fullAccess(site.hubDir, site.attacker.nats.url), async (connection) => {
      const jsm = await connection.jetstreamManager();
      return (await jsm.streams.getMessage(UP_STREAM, { last_by_subj: VALUES })).data;
    }),
  ),
];

/** Opens a connection and says nothing. */
export const SILENT_AT_NATS: Attack = ofNats('a handshake that never comes', 'handshake', async (site) => {
  const socket = connectPlain(site.natsPort, '127.0.0.1').on('error', () => undefined);
  await new Promise((resolve) => socket.resume().once('close', resolve));
});
