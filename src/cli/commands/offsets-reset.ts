import type { FolderOptions } from '../data-folder.ts';
import type { ExitCode } from '../exit.ts';
import type { CliIo } from '../io.ts';
import { carryOut } from '../offsets/carry-out.ts';
import { planChanges } from '../offsets/changes.ts';
import type { LegKind, LegName } from '../offsets/entry.ts';
import { kindOf } from '../offsets/leg-kind.ts';
import { sinkWishes } from '../offsets/sink-wishes.ts';
import { sourceWishes } from '../offsets/source-wishes.ts';
import { parseTarget } from '../offsets/target.ts';
import { withOffsetsState } from '../offsets/with-state.ts';

export interface OffsetsResetOptions extends FolderOptions, LegName {
  readonly kind: LegKind | null;
  readonly moves: readonly Move[];
  readonly execute: boolean;
  readonly json: boolean;
}

interface Move {
  /** A partition's number, a path, `topic/partition`; null for all. */
  readonly place: string | null;
  /** As `parseTarget` takes it. */
  readonly to: string;
}

/** Moves a sink or a source to other offsets: `reset` all of it or some places to one target, `set` each to its own. */
export function offsetsReset(
  options: OffsetsResetOptions,
  { command, io }: { readonly command: 'set' | 'reset'; readonly io: CliIo },
): Promise<ExitCode> {
  return withOffsetsState(options, io, async (state) => {
    const { pipeline, leg } = options;
    const now = Date.now();
    const moves = options.moves.map(({ place, to }) => ({ place, to: parseTarget(to, now) }));
    const found =
      kindOf(state, options, options.kind) === 'source'
        ? await sourceWishes(state, { leg: { pipeline, leg }, moves, env: io.env })
        : await sinkWishes({ ...state, leg: { pipeline, leg } }, moves);
    const { changes, left } = planChanges(found.wishes, state.view);
    return carryOut(state, { changes, left: [...found.left, ...left] }, { options: { ...options, command }, io });
  });
}
