import { resolve } from 'node:path';
import { SluiceError } from '../../api/index.ts';
import type { FolderOptions } from '../data-folder.ts';
import type { ExitCode } from '../exit.ts';
import type { CliIo } from '../io.ts';
import { carryOut } from '../offsets/carry-out.ts';
import { planChanges } from '../offsets/changes.ts';
import type { OffsetsState } from '../offsets/offsets-state.ts';
import { readEntries } from '../offsets/read-entries.ts';
import { importedWishes, type Wishes } from '../offsets/source-wishes.ts';
import { withOffsetsState } from '../offsets/with-state.ts';

export interface OffsetsImportOptions extends FolderOptions {
  readonly file: string;
  /** The program whose records of the same files these are; null for a file of `export` or of Kafka's own tool. */
  readonly from: string | null;
  /** `PIPELINE/NAME`; of a file that names its legs only theirs is taken. */
  readonly leg?: string;
  readonly execute: boolean;
  readonly json: boolean;
}

/** Saves the positions in a file: those of `export`, of Kafka's own tool, or of another program that has read the same files until now. */
export function offsetsImport(options: OffsetsImportOptions, io: CliIo): Promise<ExitCode> {
  return withOffsetsState(options, io, async (state) => {
    const found = await wishesOf(state, options, io);
    const { changes, left } = planChanges(found.wishes, state.view);
    return carryOut(
      state,
      { changes, left: [...found.left, ...left] },
      { options: { ...options, command: 'import' }, io },
    );
  });
}

async function wishesOf(state: OffsetsState, { file, from, leg }: OffsetsImportOptions, io: CliIo): Promise<Wishes> {
  if (from === null) {
    const entries = await readEntries({ file, ...(leg === undefined ? {} : { leg }) }, { plan: state.plan, io });
    return { wishes: entries.map((entry) => ({ entry })), left: [] };
  }
  const [pipeline, name] = leg?.split('/') ?? [];
  if (pipeline === undefined || name === undefined)
    throw new SluiceError(
      'OPTION_INVALID',
      `importing positions of ${from}: say for which source: --leg PIPELINE/NAME`,
    );
  const path = resolve(io.cwd, file);
  return importedWishes(state, { leg: { pipeline, leg: name }, program: from, path, env: io.env });
}
