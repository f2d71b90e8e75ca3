// How a publication is refused: who waits where for the answer, and what is shown of what was sent.
import type { Publication } from '../../../broker/index.ts';
import type { DeviceId } from '../../model/device.ts';
import {
  ANONYMOUS_RESULT_TOPIC,
  answerTopics,
  membershipTopic,
  rejectedOfNodeTopic,
  rejectedTopic,
  type DeviceAnswer,
} from '../../wire/mqtt-topics.ts';
import type { Refusal } from './device-answers.ts';

export type Outcome =
  { readonly kind: 'done'; readonly answer: () => void } | { readonly kind: 'refused'; readonly refusal: Refusal };

export const NO_ANSWER: Outcome = { kind: 'done', answer: () => undefined };

export type Refuse = (eventId: string, code: Refusal['code'], reason: string) => Outcome;

const SHOWN_OF_PAYLOAD = 1024;

/** Refuses what was asked of a device. */
export function refusalsOf(device: DeviceId, answer: DeviceAnswer, publication: Publication): Refuse {
  return refusing(publication, { answerTopics: answerTopics(device, answer), rejectedTopic: rejectedTopic(device) });
}

/** Refuses what was asked of a node, which need not be this one. */
export function membershipRefusalsOf(node: string, asked: string, publication: Publication): Refuse {
  const topics = { answerTopics: [membershipTopic(asked, 'get/result')], rejectedTopic: rejectedOfNodeTopic(node) };
  return refusing(publication, topics);
}

/** The payload, as far as it is shown to people. */
export const shownOf = (publication: Publication): string =>
  Buffer.from(publication.payload.subarray(0, SHOWN_OF_PAYLOAD)).toString('utf8');

/** The same, of an update that could not be read. */
export function unreadUpdate(outcome: Outcome): Outcome {
  if (outcome.kind === 'done') return outcome;
  return { ...outcome, refusal: { ...outcome.refusal, anonymousTopic: ANONYMOUS_RESULT_TOPIC } };
}

/** Refuses what was meant for the cloud; nobody waits for an answer. */
export function uploadRefusalsOf(node: string, device: DeviceId | undefined, publication: Publication): Refuse {
  const topic = device === undefined ? rejectedOfNodeTopic(node) : rejectedTopic(device);
  return refusing(publication, { answerTopics: [], rejectedTopic: topic });
}

function refusing(publication: Publication, topics: Pick<Refusal, 'answerTopics' | 'rejectedTopic'>): Refuse {
  return (eventId, code, reason) => {
    return { kind: 'refused', refusal: { ...topics, eventId, code, reason, payload: shownOf(publication) } };
  };
}
