// What is shown to people of a payload that was refused. Pure.
import type { Original } from './device-answers.ts';

const MOST_BYTES = 1024;

/** A text is cut between characters. */
export function originalOf(payload: Uint8Array): Original {
  const isCut = payload.length > MOST_BYTES;
  const start = Buffer.from(payload.subarray(0, MOST_BYTES));
  const text = textOf(start, isCut);
  return {
    ...(text === undefined ? { payload_base64: start.toString('base64') } : { payload: text }),
    ...(isCut ? { truncated: true } : {}),
  };
}

/** `undefined` where it is no UTF-8. */
function textOf(bytes: Buffer, isCut: boolean): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes, { stream: isCut });
  } catch (error) {
    if (error instanceof TypeError) return undefined;
    throw error;
  }
}
