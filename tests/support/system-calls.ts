// What strace wrote (with -f -yy -xx -o FILE), as calls in order of time: a call that others overlapped is in two lines.
import { readFile } from 'node:fs/promises';

export interface SystemCall {
  readonly name: string;
  /** Path or connection behind the first descriptor. */
  readonly file: string;
  /** All string arguments, one behind the other. */
  readonly bytes: Buffer;
  readonly result: number;
  /** Places in the order of all that was seen. */
  readonly begun: number;
  readonly ended: number;
}

export async function systemCallsIn(file: string): Promise<readonly SystemCall[]> {
  const calls: SystemCall[] = [];
  const open = new Map<string, { readonly text: string; readonly begun: number }>();
  for (const [place, line] of (await readFile(file, 'latin1')).split('\n').entries()) {
    const [, thread = '', text = ''] = /^(\d+) +(.*)$/.exec(line) ?? [];
    const unfinished = /^(.*) <unfinished \.\.\.>$/.exec(text);
    if (unfinished !== null) {
      open.set(thread, { text: unfinished[1] ?? '', begun: place });
      continue;
    }
    const resumed = /^<\.\.\. \w+ resumed>(.*)$/.exec(text);
    const earlier = resumed === null ? undefined : open.get(thread);
    const call = callOf((earlier?.text ?? '') + (resumed?.[1] ?? text));
    if (call !== undefined) calls.push({ ...call, begun: earlier?.begun ?? place, ended: place });
  }
  return calls;
}

function callOf(text: string): Omit<SystemCall, 'begun' | 'ended'> | undefined {
  const [, name, file = '', rest = ''] = /^(\w+)\(\d+<([^"]*?)>([,)].*)$/.exec(text) ?? [];
  if (name === undefined) return undefined;
  const hex = [...rest.matchAll(/"((?:\\x[0-9a-f]{2})*)"/g)].map(([, text]) => text).join('');
  const [, result = '-1'] = / = (-?\d+)[^=]*$/.exec(rest) ?? [];
  const isPath = /^(\\x[0-9a-f]{2})+$/.test(file);
  const readable = isPath ? bytesOf(file).toString('utf8') : file;
  return { name, file: readable, bytes: bytesOf(hex), result: Number(result) };
}

const bytesOf = (text: string): Buffer => Buffer.from(text.replaceAll('\\x', ''), 'hex');
