import { errorTable } from '../../kit/errors.ts';

export const outboxErrors = errorTable({
  OUTBOX_FULL: {
    kind: 'unavailable',
    message: ({ bytes, limit }: { bytes: number; limit: number }) =>
      `the outbox holds ${bytes} bytes where --outbox-bytes allows ${limit}, and nothing of it may be dropped now; raise --outbox-bytes, or restore the link`,
  },
});
