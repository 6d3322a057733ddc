import { lockFolder, repairDataFolder, type RepairFinding } from '../../log/index.ts';
import { locateFolder, type FolderOptions } from '../data-folder.ts';
import { EXIT, type ExitCode } from '../exit.ts';
import type { CliIo } from '../io.ts';
import { counted } from '../numbers.ts';
import { jsonLine, printable } from '../printable.ts';
import { writeOut } from '../write-out.ts';

export interface LogRepairOptions extends FolderOptions {
  readonly execute: boolean;
  readonly json: boolean;
}

/** Mends a data folder that no hub uses, or tells what it would do; a line for each place. */
export async function logRepair(options: LogRepairOptions, io: CliIo): Promise<ExitCode> {
  const located = await locateFolder(options, io);
  if ('exit' in located) return located.exit;
  const { dataDir } = located;
  const { execute, json } = options;
  const keepIn = new Date().toISOString().replaceAll(':', '');
  const lock = await lockFolder(dataDir);
  let found = 0;
  let hopeless = 0;
  try {
    for await (const finding of repairDataFolder({ dataDir, execute, keepIn })) {
      found++;
      if (finding.remedy === null) hopeless++;
      const line = json ? jsonLine({ ...finding, executed: execute && finding.remedy !== null }) : textOf(finding);
      if (!(await writeOut(io, line))) return EXIT.failed;
    }
  } finally {
    await lock.release();
  }
  if (!json) await writeOut(io, `${conclusion({ found, hopeless, execute, keepIn })}\n`);
  return hopeless === 0 ? EXIT.done : EXIT.failed;
}

function textOf({ path, fault, remedy }: RepairFinding): string {
  return `${printable(path)}\n   damage  ${printable(fault)}\n   repair  ${printable(remedy ?? 'none: put it back from a copy')}\n`;
}

function conclusion({
  found,
  hopeless,
  execute,
  keepIn,
}: {
  readonly found: number;
  readonly hopeless: number;
  readonly execute: boolean;
  readonly keepIn: string;
}): string {
  if (found === 0) return 'Nothing is damaged: nothing to repair.';
  const left = hopeless === 0 ? '' : ` ${counted(hopeless, 'place')} cannot be repaired.`;
  const mended = counted(found - hopeless, 'place');
  if (!execute) return `${mended} would be repaired. This was a dry run: --execute does it.${left}`;
  return `${mended} repaired; what was written over is kept in damaged/${keepIn}.${left}`;
}
