import { checkDataFolder } from '../../log/index.ts';
import { locateFolder, type FolderOptions } from '../data-folder.ts';
import { EXIT, type ExitCode } from '../exit.ts';
import type { CliIo } from '../io.ts';
import { counted } from '../numbers.ts';
import { jsonLine, printable } from '../printable.ts';
import { writeOut } from '../write-out.ts';

export interface LogCheckOptions extends FolderOptions {
  readonly json: boolean;
}

/** Reads every segment and journal and verifies it; a line for each file. Changes nothing. */
export async function logCheck(options: LogCheckOptions, io: CliIo): Promise<ExitCode> {
  const located = await locateFolder(options, io);
  if ('exit' in located) return located.exit;
  let files = 0;
  let damaged = 0;
  for await (const finding of checkDataFolder({ dataDir: located.dataDir })) {
    files++;
    if (!finding.ok) damaged++;
    const { path, ok, detail } = finding;
    const line = options.json
      ? jsonLine({ path, ok, detail })
      : `${ok ? 'ok     ' : 'DAMAGED'}   ${printable(`${path}   ${detail}`)}\n`;
    if (!(await writeOut(io, line))) return EXIT.failed;
  }
  if (!options.json) await writeOut(io, `${conclusion(files, damaged)}\n`);
  return damaged === 0 ? EXIT.done : EXIT.failed;
}

function conclusion(files: number, damaged: number): string {
  if (damaged === 0) return `${counted(files, 'file')}, nothing damaged.`;
  return `${counted(files, 'file')}, ${damaged} damaged. Nothing was changed: keep a copy of the folder, then see \`sluice log repair\`.`;
}
