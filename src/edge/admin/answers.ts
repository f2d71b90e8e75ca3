export interface Answer {
  readonly status: number;
  /** Sent as JSON. */
  readonly body?: unknown;
  /** Metrics, sent instead. */
  readonly text?: string;
}

export const unknownDevice = (namespace: string, name: string): Answer => ({
  status: 404,
  body: { reason: `the device ${namespace}/${name} is not known on this node; GET /twins lists those that are` },
});
