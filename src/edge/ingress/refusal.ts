// How a publication is refused: who waits where for the answer, and what is shown of what was sent.
import type { Publication } from '../../../broker/index.ts';
import type { DeviceId } from '../../model/device.ts';
import {
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

function refusing(publication: Publication, topics: Pick<Refusal, 'answerTopics' | 'rejectedTopic'>): Refuse {
  return (eventId, code, reason) => {
    const payload = Buffer.from(publication.payload.subarray(0, SHOWN_OF_PAYLOAD)).toString('utf8');
    return { kind: 'refused', refusal: { ...topics, eventId, code, reason, payload } };
  };
}
