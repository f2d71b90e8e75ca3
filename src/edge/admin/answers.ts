export interface Answer {
  readonly status: number;
  /** Sent as JSON. */
  readonly body?: unknown;
  /** Metrics, sent instead. */
  readonly text?: string;
}

/** A program that asked knows from `known` what it can ask for. */
export const unknownProperty = (device: string, property: string, known: readonly string[]): Answer => ({
  status: 404,
  body: {
    reason: `the device ${device} has no property ${JSON.stringify(property.slice(0, 128))}; it has ${known.join(', ') || 'none'}`,
    property,
    known,
  },
});

export const unknownDevice = (namespace: string, name: string): Answer => ({
  status: 404,
  body: { reason: `the device ${namespace}/${name} is not known on this node; GET /twins lists those that are` },
});
