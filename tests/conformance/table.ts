// What was asked, what is expected, and who differs, as `docs/reference/mqtt-conformance.md` shows it. The test of the behaviours
// holds what it says against both brokers.
import type { Behaviour } from './behaviour.ts';

const HEAD = ['Clause', 'Behaviour', 'Expected', 'Skerry', 'Mosquitto', 'Why not'];

/** A table in Markdown; nothing in a column means: as expected. */
export function tableOf(behaviours: readonly Behaviour[]): string {
  return [HEAD, HEAD.map(() => '---'), ...behaviours.map(rowOf)].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

function rowOf({ clause, title, expected, ours, mosquitto }: Behaviour): readonly string[] {
  const whys = new Set([ours?.why, mosquitto?.why].filter((why) => why !== undefined));
  const seen = (text: string | undefined): string => (text === undefined ? '' : `\`${text}\``);
  return [clause, title, seen(expected), seen(ours?.seen), seen(mosquitto?.seen), [...whys].join(' ')];
}

/** One behaviour with what was seen, for the terminal. */
export function lineOf({ clause, title, ours, mosquitto }: Behaviour, seen: Seen): string {
  const verdict =
    seen.ours === seen.mosquitto
      ? 'both agree'
      : (ours?.why ?? mosquitto?.why ?? 'nobody has explained this difference');
  return `${clause} | ${title} | ${seen.ours} | ${seen.mosquitto} | ${verdict}`;
}

interface Seen {
  readonly ours: string;
  readonly mosquitto: string;
}
