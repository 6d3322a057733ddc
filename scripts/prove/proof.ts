/** What a part of the proof is given. */
export interface Proof {
  /** Empty, its own. */
  readonly folder: string;
  readonly lines: number;
  readonly kills: number;
  readonly seed: number;
  /** Numbers in [0, 1), seeded. */
  readonly random: () => number;
}

export interface Result {
  readonly expected: number;
  readonly rows: number;
  readonly lost: number;
  readonly duplicated: number;
  /** What was done, for the table. */
  readonly note: string;
  /** What went wrong besides lost and duplicated records; empty when nothing did. */
  readonly problems: readonly string[];
  /** What could not be judged on this machine. Such a part is not proven. */
  readonly unjudged: readonly string[];
}

/** Random moments of a run of `total` steps, in order, none at its very end. */
export function moments(proof: Pick<Proof, 'kills' | 'random'>, total: number): number[] {
  const all = Array.from({ length: proof.kills }, () => Math.floor(proof.random() * 0.97 * total));
  return all.sort((a, b) => a - b);
}
