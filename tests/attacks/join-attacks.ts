// At the door where nodes join and renew.
import assert from 'node:assert/strict';
import { parseJoinToken, JOIN_PATHS, sentOfToken, signedOfRenewal } from '../../src/wire/join-messages.ts';
import { createKeyPair, keyPairFromSeed } from '../../src/nats/nkeys.ts';
import { ask, type Answered } from '../support/https.ts';
import type { Attack } from './attack.ts';
import { ATTACKER, VICTIM, type AttackedSite } from './attacked-site.ts';

const post = (site: AttackedSite, path: string, body: unknown): Promise<Answered> =>
  ask(`https://127.0.0.1:${site.portOf('hub')}`, path, {
    ...{ method: 'POST', ca: site.caOf('hub'), headers: { 'content-type': 'application/json' } },
    body: JSON.stringify(body),
  });

type Body = (site: AttackedSite) => Promise<object>;

function refusedAs(code: string, what: string, path: string, bodyOf: Body, times = 1): Attack {
  return {
    ...{ door: 'join', what, times },
    counted: { at: 'hub', name: 'skerry_hub_join_refusals_total', series: `code="${code}"` },
    logged: new RegExp(`a node was not let in.*"code":"${code}"`),
    attempt: async (site) => {
      const { status, text } = await post(site, path, await bodyOf(site));
      assert.ok(status >= 400 && status < 500, `${status} ${text}`);
      assert.equal((JSON.parse(text) as { error: string }).error, code);
      assert.doesNotMatch(text, /eyJ/, 'a JWT was given');
    },
  };
}

const sent = (token: string): string => sentOfToken(parseJoinToken(token) ?? assert.fail('no token'));
const asking = (token: string, changes: object = {}): object => ({
  ...{ node: 'plant-7', token: sent(token), publicKey: createKeyPair('user').publicKey, time: Date.now() },
  ...changes,
});

const joining = (code: string, what: string, bodyOf: Body): Attack => refusedAs(code, what, JOIN_PATHS.join, bodyOf);

/** Taken by a node with another key: what somebody has who read the request on its way. */
async function usedToken(site: AttackedSite, node: string): Promise<string> {
  const token = await site.token();
  const { status, text } = await post(site, JOIN_PATHS.join, asking(token, { node }));
  assert.equal(status, 200, text);
  return token;
}

async function challengeFor(site: AttackedSite, node: string, publicKey: string): Promise<string> {
  const { text } = await post(site, JOIN_PATHS.challenge, { node, publicKey });
  return (JSON.parse(text) as { challenge: string }).challenge;
}

const signedBy = (seed: string, asked: { node: string; publicKey: string; challenge: string }): object => ({
  ...{ ...asked, signature: Buffer.from(keyPairFromSeed(seed).sign(signedOfRenewal(asked))).toString('base64url') },
});

const publicKeyOf = (seed: string): string => keyPairFromSeed(seed).publicKey;

export const JOINING: readonly Attack[] = [
  joining('JOIN_TOKEN_USED_UP', 'a join replayed with a key of its own', async (site) =>
    asking(await usedToken(site, 'plant-5'), { node: 'plant-5' }),
  ),
  joining('JOIN_TOKEN_USED_UP', 'a used token for another name', async (site) =>
    asking(await usedToken(site, 'plant-6'), { node: 'plant-7' }),
  ),
  joining('JOIN_TOKEN_EXPIRED', 'a token that has ended', async (site) => asking(await site.token({ ttl: 0 }))),
  joining('JOIN_TOKEN_UNKNOWN', 'a token that never was', () =>
    Promise.resolve(asking(`000000000000.${'x'.repeat(43)}.pin`)),
  ),
  joining('JOIN_TOKEN_UNKNOWN', 'a token with another secret', async (site) => {
    const { id } = parseJoinToken(await site.token()) ?? assert.fail('no token');
    return asking(`${id}.${'x'.repeat(43)}.pin`);
  }),
  joining('JOIN_TOKEN_UNKNOWN', 'a token that was deleted', async (site) => {
    const token = await site.token();
    await site.joining.deleteToken(parseJoinToken(token)?.id ?? '');
    return asking(token);
  }),
  joining('JOIN_TOKEN_NODE', 'a name that the token is not for', async (site) =>
    asking(await site.token({ nodePattern: 'line-*' })),
  ),
  joining('JOIN_NAME_TAKEN', 'the name of another node', async (site) => asking(await site.token(), { node: VICTIM })),
  joining('JOIN_NAME_LOCAL', 'the name of a node of the hub', async (site) =>
    asking(await site.token(), { node: 'edge-a' }),
  ),
  joining('JOIN_NAME_INVALID', 'a name with wildcards', async (site) => asking(await site.token(), { node: '*.>' })),
  joining('JOIN_KEY_INVALID', 'the key of an account', async (site) =>
    asking(await site.token(), { publicKey: createKeyPair('account').publicKey }),
  ),
  joining('JOIN_REQUEST_INVALID', 'a body of another form', () => Promise.resolve({ node: ['plant-7'], token: {} })),
  joining('JOIN_CLOCK_OFF', 'a clock of tomorrow', async (site) =>
    asking(await site.token(), { time: Date.now() + 86_400_000 }),
  ),
  refusedAs(
    'RENEWAL_PROOF_INVALID',
    'renewing for another node, signed by its own key',
    JOIN_PATHS.renew,
    async (site) => {
      const publicKey = publicKeyOf(createKeyPair('user').seed);
      const challenge = await challengeFor(site, VICTIM, publicKey);
      return signedBy(site.attacker.nats.seed, { node: VICTIM, publicKey, challenge });
    },
  ),
  refusedAs('RENEWAL_PROOF_INVALID', 'renewing with the challenge of another name', JOIN_PATHS.renew, async (site) => {
    const { seed } = site.attacker.nats;
    const challenge = await challengeFor(site, ATTACKER, publicKeyOf(seed));
    return signedBy(seed, { node: VICTIM, publicKey: publicKeyOf(seed), challenge });
  }),
  refusedAs('RENEWAL_PROOF_INVALID', 'renewing with a challenge of its own making', JOIN_PATHS.renew, (site) => {
    const { seed } = site.attacker.nats;
    return Promise.resolve(
      signedBy(seed, { node: ATTACKER, publicKey: publicKeyOf(seed), challenge: `${Date.now()}.made.up` }),
    );
  }),
  refusedAs('NODE_NOT_JOINED', 'renewing for another node with a key of its own', JOIN_PATHS.renew, async (site) => {
    const { seed } = site.attacker.nats;
    const publicKey = publicKeyOf(seed);
    return signedBy(seed, { node: VICTIM, publicKey, challenge: await challengeFor(site, VICTIM, publicKey) });
  }),
];

/** The last one: its address waits from here on. */
export const GUESSING: Attack = {
  ...{ door: 'join', what: 'guessing tokens' },
  counted: { at: 'hub', name: 'skerry_hub_join_refusals_total', series: 'code="JOIN_TOO_MANY"' },
  logged: /a node was not let in.*"code":"JOIN_TOO_MANY"/,
  attempt: async (site) => {
    for (let guess = 0; guess < 100; guess += 1) {
      const { status, text } = await post(site, JOIN_PATHS.join, asking(`${'0'.repeat(12)}.${'g'.repeat(43)}.pin`));
      assert.ok(status >= 400);
      if (text.includes('JOIN_TOO_MANY')) return;
    }
    assert.fail('a hundred guesses were answered');
  },
};
