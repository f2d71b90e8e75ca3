// How a payload that nobody here understands travels in an event: JSON as it came, so that who reads the event can read it too, and
// any other bytes as base64. Pure.
import type { CarriedPayload } from '../model/fact.ts';
import { parseJson } from './json.ts';

/** Deeper than people nest. One message stands in a batch with others, which must stay readable for parsers that count levels. */
const DEEPEST = 64;

export function carriedPayload(payload: Uint8Array): CarriedPayload {
  const bytes = Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength);
  const text = bytes.toString('utf8');
  const isReadable = parseJson(text) !== undefined && isTextOf(text, bytes) && depthOf(text) <= DEEPEST;
  return isReadable ? { json: text } : { base64: bytes.toString('base64') };
}

/** What is no UTF-8 was decoded to a mark in its place. */
const isTextOf = (text: string, bytes: Buffer): boolean => !text.includes('\ufffd') || Buffer.from(text).equals(bytes);

function depthOf(json: string): number {
  let depth = 0;
  let deepest = 0;
  let isInText = false;
  for (let place = 0; place < json.length; place += 1) {
    const character = json[place];
    if (isInText && character === '\\') place += 1;
    else if (character === '"') isInText = !isInText;
    else if (isInText) continue;
    else if (character === '{' || character === '[') deepest = Math.max(deepest, (depth += 1));
    else if (character === '}' || character === ']') depth -= 1;
  }
  return deepest;
}
