// Who holds real credentials of one node and tries what is not its own, at every door: refused, counted, told, and nobody else notices.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isDeepStrictEqual } from 'node:util';
import { fullAccess } from '../../src/cloud/full-access.ts';
import { UP_STREAM, STATE_STREAM, DESIRED_STREAM, CLAIM_STREAM } from '../../src/wire/nats-subjects.ts';
import { waitUntil } from '../support/wait-until.ts';
import { refuseAll, tableOf, type Attack, type Refused } from './attack.ts';
import { AttackedSite, VICTIM } from './attacked-site.ts';
import { ANSWERED, desiredOfTheVictim, overTheClaim, placesOfAnswers, saying } from './answer-attacks.ts';
import { ASKING } from './http-attacks.ts';
import { GUESSING, JOINING } from './join-attacks.ts';
import { CROSSING, ENTERING_MQTT, nothingOfTheValveWasHeard } from './mqtt-attacks.ts';
import { ENTERING, EXHAUSTING, FORGING, READING, RULING, SPEAKING } from './nats-attacks.ts';
import { SLOW } from './slow-attacks.ts';

/** What is the victim's and the hub's in NATS, to be compared. */
async function kept(site: AttackedSite): Promise<unknown> {
  return await site.withNats(await fullAccess(site.hubDir, site.attacker.nats.url), async (connection) => {
    const jsm = await connection.jetstreamManager();
    const names = [UP_STREAM, STATE_STREAM, DESIRED_STREAM, CLAIM_STREAM];
    const ofStream = async (name: string): Promise<unknown> => {
      const { config, state } = await jsm.streams.info(name, { subjects_filter: '>' });
      const subjects = Object.entries(state.subjects ?? {}).filter(([subject]) => subject.includes(VICTIM));
      const consumers = (await jsm.consumers.list(name).next()).map((consumer) => consumer.name);
      return { config, subjects, deleted: state.num_deleted, consumers };
    };
    return await Promise.all(names.map(ofStream));
  });
}

/** One after the other, each seen by itself. */
async function each(site: AttackedSite, attacks: readonly Attack[]): Promise<readonly Refused[]> {
  const refused: Refused[] = [];
  for (const attack of attacks) refused.push(...(await refuseAll(site, [attack])));
  return refused;
}

/** All at once: each takes as long as it is let. */
async function together(site: AttackedSite, attacks: readonly Attack[]): Promise<readonly Refused[]> {
  return (await Promise.all(attacks.map((attack) => refuseAll(site, [attack])))).flat();
}

void test('whatever the holder of a node tries beyond what is its own is refused, counted and told, and hurts nobody', async (t) => {
  await using site = await AttackedSite.open();
  await site.isWell('1');
  const before = await kept(site);

  const slow = together(site, SLOW);
  const inNats = await refuseAll(site, [...SPEAKING, ...READING, ...RULING, ...EXHAUSTING, ...ENTERING]);
  assert.deepEqual(await kept(site), before);
  const refused = [
    ...inNats,
    ...(await refuseAll(site, FORGING)),
    ...(await slow),
    ...(await each(site, [...CROSSING, ...ENTERING_MQTT])),
    ...(await each(site, [...ASKING, ...JOINING, GUESSING])),
  ];

  const desired = await desiredOfTheVictim(site);
  refused.push(...(await each(site, ANSWERED)));
  await waitUntil('what the victim shall do to be mended', async () =>
    isDeepStrictEqual(await desiredOfTheVictim(site).catch(() => []), desired),
  );
  for (const status of [404, 503]) {
    refused.push(...(await each(site, [saying(status)])));
    await site.isWell(String(status));
  }
  await overTheClaim(site);

  for (const line of tableOf(refused)) t.diagnostic(line);
  t.diagnostic(`${refused.length} attempts`);
  assert.ok(refused.length >= 60);
  await nothingOfTheValveWasHeard(site);
  const places = await placesOfAnswers(site, () => site.isWell('2'));
  assert.ok(places.length > 0);
  for (const place of places) assert.match(place, /^_INBOX_[^.]+\.(up\.)?[0-9A-Za-z]{22,}\./);
});
