// What happens to a site, and when: a random but repeatable list of moves. Pure: the same seed gives the same moves.

import { seededRandom } from '../../src/kit/random.ts';

export type Part = 'edge' | 'hub' | 'nats';

export type Move =
  /** SIGKILL of all named parts in the same moment; they stay away for a while. */
  | { readonly kind: 'kill'; readonly parts: readonly Part[]; readonly away: number }
  /** SIGKILL, and again while it is starting. */
  | { readonly kind: 'kill-restarting'; readonly part: 'edge' | 'hub'; readonly after: number }
  /** SIGSTOP, and SIGCONT later: alive, and says nothing. */
  | { readonly kind: 'silence'; readonly part: 'hub' | 'nats'; readonly lasting: number }
  /** SIGKILL of the hub while nats-server is silent, so that the next hub finds a server that does not answer. */
  | { readonly kind: 'kill-hub-in-silence'; readonly lasting: number }
  /** SIGTERM, exit code 0, start. */
  | { readonly kind: 'restart'; readonly part: 'edge' | 'hub'; readonly away: number };

export interface Timed {
  /** Calm before the move. */
  readonly pause: number;
  readonly move: Move;
}

const TOGETHER: readonly (readonly Part[])[] = [
  ['edge'],
  ['hub'],
  ['nats'],
  ['edge', 'nats'],
  ['hub', 'nats'],
  ['edge', 'hub'],
  ['edge', 'hub', 'nats'],
];

/** Goes on for ever; whoever asks stops when there is no time left. */
export function* scheduleOf(seed: number): Generator<Timed, never> {
  const random = seededRandom(seed);
  const between = (from: number, to: number): number => Math.round(from + random() * (to - from));
  const oneOf = <T>(choices: readonly T[], otherwise: T): T => choices[between(0, choices.length - 1)] ?? otherwise;
  for (;;) yield { pause: between(200, 4000), move: nextMove(random, between, oneOf) };
}

function nextMove(
  random: () => number,
  between: (from: number, to: number) => number,
  oneOf: <T>(choices: readonly T[], otherwise: T) => T,
): Move {
  const dice = random();
  if (dice < 0.5) return { kind: 'kill', parts: oneOf(TOGETHER, ['edge']), away: between(0, 3000) };
  if (dice < 0.68) {
    const part = oneOf(['edge', 'hub'] as const, 'edge');
    return { kind: 'kill-restarting', part, after: between(20, part === 'edge' ? 500 : 1500) };
  }
  if (dice < 0.82)
    return { kind: 'silence', part: oneOf(['hub', 'nats'] as const, 'nats'), lasting: between(5000, 15_000) };
  if (dice < 0.87) return { kind: 'kill-hub-in-silence', lasting: between(2000, 8000) };
  return { kind: 'restart', part: oneOf(['edge', 'hub'] as const, 'hub'), away: between(0, 1000) };
}

export function textOf(move: Move): string {
  switch (move.kind) {
    case 'kill':
      return `kill ${move.parts.join('+')}, away ${move.away} ms`;
    case 'kill-restarting':
      return `kill ${move.part}, and again ${move.after} ms into its start`;
    case 'silence':
      return `${move.part} silent for ${move.lasting} ms`;
    case 'kill-hub-in-silence':
      return `kill hub while nats is silent for ${move.lasting} ms`;
    case 'restart':
      return `restart ${move.part}, away ${move.away} ms`;
  }
}
