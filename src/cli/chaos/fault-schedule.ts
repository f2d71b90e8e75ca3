// What happens to the site, and when. Pure: the same plan and seed give the same moves.
import { seededRandom } from '../../kit/random.ts';
import { ms, seconds, type Duration } from '../../kit/units.ts';

export type Victim = 'edge' | 'hub' | 'nats';

/** `closed`: connections end, and new ones do too. `silent`: they stay open, and bytes vanish. `late`: bytes arrive when the cut is over. */
export type CutForm = 'closed' | 'silent' | 'late';

interface At {
  /** After the faults began. */
  readonly at: Duration;
}

export interface Kill extends At {
  readonly kind: 'kill';
  readonly victim: Victim;
  /** Which edge node, counted from 0. */
  readonly edge: number;
  /** Before it is started again; nats-server's return is the hub's business. */
  readonly away: Duration;
}

export interface Cut extends At {
  readonly kind: 'cut';
  readonly edge: number;
  readonly form: CutForm;
  readonly lasting: Duration;
}

export type Move = Kill | Cut;

export interface FaultPlan {
  readonly kill: readonly Victim[];
  readonly every: Duration;
  readonly lasting: Duration;
  /** Length of one cut of a link; undefined for none. */
  readonly partition: Duration | undefined;
  readonly edges: number;
}

const LONGEST_AWAY = seconds(2);
const FORMS: readonly CutForm[] = ['closed', 'silent', 'late'];
/** Keeps the moves of one kind as they are when the other kind is switched on or off. */
const CUTS_SEED = 0x5eed;

export function movesOf(plan: FaultPlan, seed: number): readonly Move[] {
  return [...killsOf(plan, seed), ...cutsOf(plan, seed)].sort((one, other) => one.at - other.at);
}

function killsOf({ kill, every, lasting, edges }: FaultPlan, seed: number): readonly Kill[] {
  const random = seededRandom(seed);
  const below = (limit: number): number => Math.floor(random() * limit);
  const kills: Kill[] = [];
  for (let at = every as number; at < lasting; at += every) {
    const victim = kill[below(kill.length)];
    if (victim !== undefined)
      kills.push({ kind: 'kill', at: ms(at), victim, edge: below(edges), away: ms(below(LONGEST_AWAY)) });
  }
  return kills;
}

/** Calm lasts two thirds of the time: from half to three and a half lengths of a cut. The last cut is over before the faults are. */
function cutsOf({ partition, lasting, edges }: FaultPlan, seed: number): readonly Cut[] {
  if (partition === undefined) return [];
  const random = seededRandom(seed ^ CUTS_SEED);
  const cuts: Cut[] = [];
  let at = Math.floor(random() * partition);
  for (let turn = Math.floor(random() * FORMS.length); at + partition <= lasting; turn += 1) {
    const form = FORMS[turn % FORMS.length] ?? 'closed';
    cuts.push({ kind: 'cut', at: ms(at), edge: Math.floor(random() * edges), form, lasting: partition });
    at += Math.floor(partition * (1.5 + 3 * random()));
  }
  return cuts;
}

export function textOf(move: Move): string {
  if (move.kind === 'cut') return `cut the link of edge-${move.edge + 1} for ${move.lasting} ms (${move.form})`;
  if (move.victim === 'nats') return 'kill nats-server';
  const name = move.victim === 'edge' ? `edge-${move.edge + 1}` : move.victim;
  return `kill ${name}, away ${move.away} ms`;
}
