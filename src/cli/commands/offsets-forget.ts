import { SluiceError } from '../../api/index.ts';
import { openDataFolder, readDataFolder, type DataFolder } from '../../log/index.ts';
import { createLogger, realClock } from '../../telemetry/index.ts';
import { locateFolder, type FolderOptions } from '../data-folder.ts';
import { EXIT, type ExitCode } from '../exit.ts';
import type { CliIo } from '../io.ts';
import { jsonLine, printable } from '../printable.ts';

type LegKind = 'source' | 'sink';

export interface OffsetsForgetOptions extends FolderOptions {
  readonly pipeline: string;
  readonly leg: string;
  /** Tells a source from a sink of the same name. */
  readonly kind: LegKind | null;
  readonly json: boolean;
}

/** Deletes what is saved of a leg: it starts anew, and the topic keeps no records for it any longer. */
export async function offsetsForget(options: OffsetsForgetOptions, io: CliIo): Promise<ExitCode> {
  const located = await locateFolder(options, io);
  if ('exit' in located) return located.exit;
  const { pipeline, leg, json } = options;
  try {
    const kinds = options.kind === null ? await savedKinds(located.dataDir, pipeline, leg) : [options.kind];
    if (kinds.length > 1) {
      io.stderr.write(`sluice: ${pipeline} has a source and a sink named ${leg}; say which: --source or --sink\n`);
      return EXIT.usage;
    }
    const [kind] = kinds;
    const isForgotten = kind !== undefined && (await forget(located.dataDir, { kind, pipeline, leg }, io));
    if (!isForgotten) {
      const name = printable(`${pipeline}/${leg}`);
      io.stderr.write(`sluice: nothing is saved for ${name}; what is: sluice offsets get\n`);
      return EXIT.failed;
    }
    io.stdout.write(json ? jsonLine({ forgotten: true, kind, pipeline, leg }) : told(kind, pipeline, leg));
    return EXIT.done;
  } catch (error) {
    if (!(error instanceof SluiceError && error.code === 'DATA_FOLDER_IN_USE')) throw error;
    io.stderr.write(`sluice: ${error.message}\n`);
    return EXIT.inUse;
  }
}

async function savedKinds(dataDir: string, pipeline: string, leg: string): Promise<readonly LegKind[]> {
  const { pipelines } = await readDataFolder({ dataDir });
  const saved = pipelines.find((one) => one.pipeline === pipeline);
  const kinds: LegKind[] = [];
  if (saved?.sources.some(({ source }) => source === leg) === true) kinds.push('source');
  if (saved?.sinks.some(({ sink }) => sink === leg) === true) kinds.push('sink');
  return kinds;
}

async function forget(
  dataDir: string,
  { kind, pipeline, leg }: { kind: LegKind; pipeline: string; leg: string },
  { stderr }: CliIo,
): Promise<boolean> {
  const destination = { write: (line: string) => void stderr.write(line) };
  const log = createLogger({ level: 'warn', destination, pretty: false, json: false });
  const folder: DataFolder = await openDataFolder({ dataDir, hubId: null, clock: realClock, log });
  try {
    return await (kind === 'sink' ? folder.forgetSink(pipeline, leg) : folder.forgetSource(pipeline, leg));
  } finally {
    await folder.close();
  }
}

function told(kind: LegKind, pipeline: string, leg: string): string {
  const next = kind === 'sink' ? 'it starts where its `start` says' : 'it reads its input from the beginning';
  return `forgotten: ${kind} ${pipeline}/${leg}. If a pipeline has it, ${next}.\n`;
}
