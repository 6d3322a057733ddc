import { SluiceError } from '../../api/index.ts';
import { openDataFolder, readDataFolder, type PipelineView } from '../../log/index.ts';
import { createLogger, realClock } from '../../telemetry/index.ts';
import { locate, locateFolder, type FolderOptions } from '../data-folder.ts';
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
  const located = await locate(options, io);
  if ('exit' in located) return located.exit;
  const { plan } = located;
  if (plan !== null && plan.kafka !== null) {
    const { forgetInKafka } = await import('../forget-in-kafka.ts');
    const kafka = plan.kafka;
    return forgetIn(forgetInKafka({ ...plan, kafka }, options.pipeline, io.env), options, io);
  }
  const folder = await locateFolder(options, io);
  return 'exit' in folder ? folder.exit : forgetIn(embedded(folder.dataDir, options.pipeline, io), options, io);
}

/** Where the state of one pipeline is saved. */
export interface ForgetfulState {
  saved(): Promise<PipelineView | undefined>;
  /** False when nothing is saved. */
  forget(kind: LegKind, leg: string): Promise<boolean>;
  close(): Promise<void>;
}

async function forgetIn(state: ForgetfulState, options: OffsetsForgetOptions, io: CliIo): Promise<ExitCode> {
  const { pipeline, leg, json } = options;
  try {
    const kinds = options.kind === null ? kindsOf(await state.saved(), leg) : [options.kind];
    if (kinds.length > 1) {
      io.stderr.write(`sluice: ${pipeline} has a source and a sink named ${leg}; say which: --source or --sink\n`);
      return EXIT.usage;
    }
    const [kind] = kinds;
    const isForgotten = kind !== undefined && (await state.forget(kind, leg));
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
  } finally {
    await state.close();
  }
}

function kindsOf(saved: PipelineView | undefined, leg: string): readonly LegKind[] {
  const kinds: LegKind[] = [];
  if (saved?.sources.some(({ source }) => source === leg) === true) kinds.push('source');
  if (saved?.sinks.some(({ sink }) => sink === leg) === true) kinds.push('sink');
  return kinds;
}

function embedded(dataDir: string, pipeline: string, { stderr }: CliIo): ForgetfulState {
  const destination = { write: (line: string) => void stderr.write(line) };
  const log = createLogger({ level: 'warn', destination, pretty: false, json: false });
  return {
    saved: async () => (await readDataFolder({ dataDir })).pipelines.find((one) => one.pipeline === pipeline),
    forget: async (kind, leg) => {
      const folder = await openDataFolder({ dataDir, hubId: null, clock: realClock, log });
      try {
        return await (kind === 'sink' ? folder.forgetSink(pipeline, leg) : folder.forgetSource(pipeline, leg));
      } finally {
        await folder.close();
      }
    },
    close: () => Promise.resolve(),
  };
}

function told(kind: LegKind, pipeline: string, leg: string): string {
  const next = kind === 'sink' ? 'it starts where its `start` says' : 'it reads its input from the beginning';
  return `forgotten: ${kind} ${pipeline}/${leg}. If a pipeline has it, ${next}.\n`;
}
