import type { Servers } from '../kafka/servers.ts';
import type { Proof, Result } from '../proof.ts';

/** One line of a table of `docs/`. */
export interface Row {
  readonly name: string;
  /** As the fault matrix calls what is hurt. */
  readonly component: string;
  /** What is done to it. */
  readonly fault: string;
  readonly on: 'embedded' | 'one broker' | 'three brokers' | '–';
  readonly by: Part | readonly ShownBy[];
  /** What this machine lacks for it, in words; null when nothing. Such a row is left out. */
  readonly missing?: () => Promise<string | null>;
}

/** Run at a size of its own, and counted. */
export interface Part {
  readonly lines: number;
  readonly kills: number;
  /** With `--long`. */
  readonly long?: { readonly lines: number; readonly kills: number };
  readonly prove: (proof: Proof, servers: Servers) => Promise<Result>;
}

/** A test that fails when a record is lost, or is there twice where that is not promised. */
export interface ShownBy {
  readonly file: string;
  /** All of its title, or what it begins with. */
  readonly title: string;
}

export function isPart(by: Row['by']): by is Part {
  return 'prove' in by;
}
