// The reference page. `node dist/tests/conformance/write-page.js` writes it; a test says when it is not what would be written.
import { format, resolveConfig } from 'prettier';
import { BEHAVIOURS } from './behaviours.ts';
import { tableOf } from './table.ts';

export const PAGE = 'docs/reference/mqtt-conformance.md';

const INTRODUCTION = `# MQTT 3.1.1, clause by clause

What \`npm test\` asks of this broker, in raw packets, and of Debian's Mosquitto 2.0.11 beside it (\`tests/conformance\`). The clause is that of the normative statement in [MQTT 3.1.1](https://docs.oasis-open.org/mqtt/mqtt/v3.1.1/os/mqtt-v3.1.1-os.html), or the section. A column of a broker is empty where it does what is expected; where it does not, the test fails unless it does what stands here, for the reason that stands here, and fails as well when it no longer does. \`#1\` is the first packet id that a broker chose, \`closed\` the end of the connection, \`/\` stands between clients or cases, and \`nothing\` is what came until the answer to a PINGREQ.

This page is written by \`node dist/tests/conformance/write-page.js\`.
`;

export async function conformancePage(): Promise<string> {
  const all = Object.values(BEHAVIOURS).flat();
  const ours = all.filter((one) => one.ours !== undefined).length;
  const theirs = all.filter((one) => one.mosquitto !== undefined).length;
  const summary = `${all.length} behaviours; this broker differs in ${ours}, Mosquitto in ${theirs}.`;
  const parts = Object.entries(BEHAVIOURS).map(([title, behaviours]) => `## ${title}\n\n${tableOf(behaviours)}`);
  const text = [INTRODUCTION, summary, ...parts].join('\n\n');
  return format(text, { ...(await resolveConfig(PAGE)), parser: 'markdown' });
}
