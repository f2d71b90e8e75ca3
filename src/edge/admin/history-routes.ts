// What twins were, over HTTP: the changes of a device, and its whole twin at a moment. Answers are bounded.
import { parseMoment } from '../../wire/moments.ts';
import { unknownDevice, unknownProperty, type Answer } from './answers.ts';
import type { Asked, Routes } from './routes.ts';

/** `undefined`: no such device. */
export interface PastRequests {
  at(device: Place, moment: number): Promise<unknown>;
  entries(device: Place, question: Question): Promise<unknown>;
  /** By name. */
  properties(device: Place): readonly string[] | undefined;
}

interface Place {
  readonly namespace: string;
  readonly name: string;
}

interface Question {
  readonly property?: string;
  readonly since?: number;
  readonly limit: number;
}

export const MOST_ENTRIES_OF_AN_ANSWER = 10_000;
const USUAL_ENTRIES = 1000;

/** `at`: as the query gives it. */
export async function answerPastTwin(past: PastRequests, device: Place, at: string): Promise<Answer> {
  const moment = momentIn(at);
  if (moment === undefined) return badMoment('at', at);
  const twin = await past.at(device, moment);
  return twin === undefined ? unknownDevice(device.namespace, device.name) : { status: 200, body: twin };
}

export const historyRoutes = (past: PastRequests): Routes => {
  const answer = ({ named, query }: Asked): Promise<Answer> => answerHistory(past, named, query);
  return { 'GET /history/<namespace>/<device>': answer, 'GET /history/<namespace>/<device>/<property>': answer };
};

async function answerHistory(
  past: PastRequests,
  [namespace = '', name = '', property]: readonly string[],
  query: URLSearchParams,
): Promise<Answer> {
  const question = questionOf(property, query);
  if ('status' in question) return question;
  const known = past.properties({ namespace, name });
  if (property !== undefined && known?.includes(property) === false)
    return unknownProperty(`${namespace}/${name}`, property, known);
  const entries = await past.entries({ namespace, name }, question);
  return entries === undefined ? unknownDevice(namespace, name) : { status: 200, body: entries };
}

function questionOf(property: string | undefined, query: URLSearchParams): Question | Answer {
  const [from, most] = [query.get('since'), query.get('limit') ?? String(USUAL_ENTRIES)];
  const since = from === null ? undefined : momentIn(from);
  if (from !== null && since === undefined) return badMoment('since', from);
  const limit = /^\d{1,6}$/.test(most) ? Number(most) : 0;
  if (limit < 1 || limit > MOST_ENTRIES_OF_AN_ANSWER)
    return { status: 400, body: { reason: `limit must be a number from 1 to ${MOST_ENTRIES_OF_AN_ANSWER}` } };
  return {
    limit,
    ...(property === undefined ? {} : { property }),
    ...(since === undefined ? {} : { since }),
  };
}

/** A query that was not encoded has a space where somebody wrote the `+` of a time zone. */
const momentIn = (text: string): number | undefined => parseMoment(text.replace(/ (?=\d{2}:\d{2}$)/, '+'));

const badMoment = (field: string, text: string): Answer => ({
  status: 400,
  body: { reason: `${field} ${JSON.stringify(text.slice(0, 40))} must be a time such as 2026-05-01T12:00:00Z` },
});
