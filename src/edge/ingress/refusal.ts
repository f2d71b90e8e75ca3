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
import type { Refusal, RefusalKind } from './device-answers.ts';
import { originalOf } from './original.ts';

export type Outcome =
  { readonly kind: 'done'; readonly answer: () => void } | { readonly kind: 'refused'; readonly refusal: Refusal };

export const NO_ANSWER: Outcome = { kind: 'done', answer: () => undefined };

export type Refuse = (eventId: string, kind: RefusalKind, reason: string) => Outcome;

const SHOWN_OF_PAYLOAD = 1024;

/** Refuses what was asked of a device. */
export function refusalsOf(device: DeviceId, answer: DeviceAnswer, publication: Publication): Refuse {
  const topics = { answerTopics: answerTopics(device, answer), rejectedTopic: rejectedTopic(device) };
  return refusing(publication, { ...topics, device });
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
  const answerTopics: readonly string[] = [];
  return device === undefined
    ? refusing(publication, { answerTopics, rejectedTopic: rejectedOfNodeTopic(node) })
    : refusing(publication, { answerTopics, rejectedTopic: rejectedTopic(device), device });
}

type Concerned = Pick<Refusal, 'answerTopics' | 'rejectedTopic' | 'device'>;

function refusing({ topic, payload }: Publication, concerned: Concerned): Refuse {
  return (eventId, kind, reason) => {
    const code = kind === 'unknown' ? 404 : 400;
    const refusal = { ...concerned, kind, topic, eventId, code, reason, original: originalOf(payload) } as const;
    return { kind: 'refused', refusal };
  };
}
