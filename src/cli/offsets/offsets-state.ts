import { resolve } from 'node:path';
import type { HubPlan } from '../../config/index.ts';
import { openDataFolder, readDataFolder, type SavedChanges, type SavedView } from '../../log/index.ts';
import { createLogger, realClock } from '../../telemetry/index.ts';
import { locate, type FolderOptions } from '../data-folder.ts';
import type { ExitCode } from '../exit.ts';
import type { CliIo } from '../io.ts';
import { printable } from '../printable.ts';

/** What is saved of a hub's legs, wherever that is, for a command that may change it. */
export interface OffsetsState {
  /** Null with `--data-dir`. */
  readonly plan: HubPlan | null;
  readonly dataDir: string;
  readonly isKafka: boolean;
  readonly view: SavedView;
  /** In front of the partitions of a source that reads this host's input, where hubs share their state; '' elsewhere. */
  prefixOf(pipeline: string, source: string): string;
  /** Rejects with `DATA_FOLDER_IN_USE`, or `KAFKA_REFUSED` while a hub runs the pipeline. */
  change(pipeline: string, changes: SavedChanges): Promise<void>;
  close(): Promise<void>;
}

export interface OpenStateOptions extends FolderOptions {
  /** Nobody else may change anything from now on. Of an embedded log this takes its folder: throws `DATA_FOLDER_IN_USE`. */
  readonly execute: boolean;
}

/** Says why and returns an exit code when the configuration is wrong. A folder that is not there yet has nothing saved. */
export async function openOffsetsState(
  options: OpenStateOptions,
  io: CliIo,
): Promise<OffsetsState | { readonly exit: ExitCode }> {
  const located = await locate(options, io);
  if ('exit' in located) return located;
  const { plan } = located;
  const dataDir = resolve(io.cwd, located.dataDir);
  if (plan !== null && plan.kafka !== null) {
    const { openKafkaState } = await import('./kafka-offsets-state.ts');
    return openKafkaState(
      { ...plan, kafka: plan.kafka },
      { env: io.env, execute: options.execute, folder: () => openFolder(dataDir, plan, io) },
    );
  }
  const folder = options.execute ? await openFolder(dataDir, plan, io) : null;
  try {
    const view = await readDataFolder({ dataDir });
    for (const damage of view.damaged) io.stderr.write(`sluice: ${printable(damage)}; see: sluice log check\n`);
    return {
      plan,
      dataDir,
      isKafka: false,
      view,
      prefixOf: () => '',
      change: (pipeline, changes) => folder!.change(pipeline, changes),
      close: async () => folder?.close(),
    };
  } catch (error) {
    await folder?.close();
    throw error;
  }
}

function openFolder(dataDir: string, plan: HubPlan | null, { stderr }: CliIo): ReturnType<typeof openDataFolder> {
  const destination = { write: (line: string) => void stderr.write(line) };
  const log = createLogger({ level: 'warn', destination, pretty: false, json: false });
  return openDataFolder({ dataDir, hubId: plan?.host ?? null, clock: realClock, log });
}
