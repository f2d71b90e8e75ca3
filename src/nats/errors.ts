import { errorTable } from '../kit/errors.ts';

export const natsErrors = errorTable({
  NATS_UNAVAILABLE: {
    kind: 'unavailable',
    message: ({ subject }: { subject: string }) =>
      `NATS did not answer on ${subject}; the link is down or the server is busy, and the request will be repeated`,
  },
  NATS_FORBIDDEN: {
    kind: 'refused',
    message: ({ subject }: { subject: string }) =>
      `the NATS server refuses ${subject} to these credentials; check the permissions of the user`,
  },
  NATS_REFUSED: {
    kind: 'refused',
    message: ({ subject, description }: { subject: string; description: string; code: number }) =>
      `JetStream refused the request on ${subject}: ${description}`,
  },
});
