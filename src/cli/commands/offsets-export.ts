import { writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { FolderOptions } from '../data-folder.ts';
import { EXIT, type ExitCode } from '../exit.ts';
import type { CliIo } from '../io.ts';
import { counted } from '../numbers.ts';
import { entriesOf } from '../offsets/entry.ts';
import { formatEntries, type Format } from '../offsets/formats.ts';
import { legFilter } from '../offsets/leg-filter.ts';
import { withOffsetsState } from '../offsets/with-state.ts';
import { printable } from '../printable.ts';
import { writeOut } from '../write-out.ts';

export interface OffsetsExportOptions extends FolderOptions {
  /** `PIPELINE` or `PIPELINE/NAME`; all without. */
  readonly leg?: string;
  readonly format: Format;
  /** Relative to where the command was called; the standard output without. */
  readonly output?: string;
}

/** Writes what is saved into a file that `import` and `diff` read; beside a running hub too. */
export function offsetsExport(options: OffsetsExportOptions, io: CliIo): Promise<ExitCode> {
  return withOffsetsState({ ...options, execute: false }, io, async ({ view, plan }) => {
    const isWanted = legFilter(options.leg);
    const entries = entriesOf(view).filter(({ pipeline, leg }) => isWanted(pipeline, leg));
    if (entries.length === 0) {
      io.stderr.write(`sluice: nothing is saved${options.leg === undefined ? '' : ` for ${printable(options.leg)}`}\n`);
      return EXIT.failed;
    }
    const text = formatEntries(entries, options.format, { group: plan?.group ?? 'default' });
    if (options.output === undefined) {
      await writeOut(io, text);
      return EXIT.done;
    }
    await writeFile(resolve(io.cwd, options.output), text);
    io.stderr.write(`${counted(entries.length, 'position')} written to ${printable(options.output)}\n`);
    return EXIT.done;
  });
}
