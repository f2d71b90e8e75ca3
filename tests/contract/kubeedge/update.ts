// The words that updates of KubeEdge's tables are made of.
export const update = (eventId: string, fields: Readonly<Record<string, unknown>>, more: object = {}): string =>
  JSON.stringify({ event_id: eventId, timestamp: 1_767_225_600_000, twin: fields, ...more });
export const actual = (text: unknown): object => ({ actual: { value: text } });
export const expected = (text: unknown): object => ({ expected: { value: text } });
export const typed = (type: string): object => ({ metadata: { type } });
