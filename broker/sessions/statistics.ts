// What the sessions count, in plain numbers; read when somebody asks.

/** Which limit a waiting message was dropped by, or that its session ended because its client was away for too long. */
export const DROP_REASONS = ['client-messages', 'client-bytes', 'total-messages', 'total-bytes', 'expired'] as const;
export type DropReason = (typeof DROP_REASONS)[number];

export interface SessionStatistics {
  /** Persistent ones, and those of them whose client is away. */
  readonly sessions: number;
  readonly sessionsAway: number;
  /** Waiting for all persistent sessions together, those under way to a client included. */
  readonly queuedMessages: number;
  readonly queuedBytes: number;
  /** The rest of the counts of what happened are since this start. */
  readonly droppedMessages: Readonly<Record<DropReason, number>>;
  /** Of all clients, persistent or not. */
  readonly subscriptions: number;
  readonly refusedSubscriptions: number;
  readonly expiredSessions: number;
  /** Topics that clients retained, and their bytes. */
  readonly retainedTopics: number;
  readonly retainedBytes: number;
  /** Last wills that are neither said nor discarded, and their bytes. */
  readonly wills: number;
  readonly willBytes: number;
  /** Records that could not be read, now or by a former process, and were put out of the way. */
  readonly recordsSetAside: number;
}
