import type { FolderOptions } from '../data-folder.ts';
import { EXIT, type ExitCode } from '../exit.ts';
import type { CliIo } from '../io.ts';
import { counted } from '../numbers.ts';
import { planChanges } from '../offsets/changes.ts';
import { entriesOf, keyOf } from '../offsets/entry.ts';
import { legFilter } from '../offsets/leg-filter.ts';
import { readEntries } from '../offsets/read-entries.ts';
import { changeLines } from '../offsets/show-changes.ts';
import { withOffsetsState } from '../offsets/with-state.ts';
import { jsonLine, printable } from '../printable.ts';
import { writeOut } from '../write-out.ts';

export interface OffsetsDiffOptions extends FolderOptions {
  readonly file: string;
  /** `PIPELINE` or `PIPELINE/NAME`; all that the file names without. */
  readonly leg?: string;
  readonly json: boolean;
}

/** What is saved against what a file holds: exit 0 when they are the same, 1 when they differ. Beside a running hub too. */
export function offsetsDiff(options: OffsetsDiffOptions, io: CliIo): Promise<ExitCode> {
  return withOffsetsState({ ...options, execute: false }, io, async (state) => {
    const entries = await readEntries(options, { plan: state.plan, io });
    const { changes, left } = planChanges(
      entries.map((entry) => ({ entry })),
      state.view,
    );
    const isWanted = legFilter(options.leg);
    const legs = new Set(entries.map(({ pipeline, leg }) => `${pipeline}/${leg}`));
    const inFile = new Set(entries.map(keyOf));
    const missing = entriesOf(state.view).filter(
      (entry) =>
        isWanted(entry.pipeline, entry.leg) && legs.has(`${entry.pipeline}/${entry.leg}`) && !inFile.has(keyOf(entry)),
    );
    const shown = await changeLines(state, changes, { env: io.env, heads: ['saved', 'file'] });
    const differs = changes.length + left.length + missing.length > 0;
    const exit = differs ? EXIT.failed : EXIT.done;
    if (options.json) {
      await writeOut(io, jsonLine({ same: !differs, changes: shown.json, left, missing }));
      return exit;
    }
    const lines = [
      ...shown.lines,
      ...left.map(({ what, why }) => printable(`cannot be compared: ${what}: ${why}`)),
      ...missing.map((entry) => printable(`not in the file: ${keyOf(entry)}`)),
      differs ? `${counted(changes.length + left.length + missing.length, 'difference')}.` : 'No differences.',
    ];
    await writeOut(io, `${lines.join('\n')}\n`);
    return exit;
  });
}
