import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { measure } from './measure.ts';
import type { Bench, Contestant } from './path.ts';
import type { Stage } from './stage.ts';
import type { Codec, System } from './system.ts';

/** How long a run of a slow system takes. */
const SECONDS_OF_A_RUN = 25;

export interface Place {
  readonly bench: Bench;
  /** Empty, and removed after the run. */
  readonly folder: string;
  readonly codec: Codec;
  /** 0 shows the start-up. */
  readonly records: number;
}

interface PathOptions<Task> {
  readonly codecs: readonly Codec[];
  readonly systems: readonly System<Task>[];
  readonly stage: (place: Place) => Promise<Stage<Task>>;
  /** What no system can exceed, because the target is slower. */
  readonly recordsPerSecond?: number;
}

/** Each system with each codec that it is measured with. */
export function contestants<Task extends { readonly folder: string }>(options: PathOptions<Task>): Contestant[] {
  const { codecs, systems, stage, recordsPerSecond = Infinity } = options;
  return codecs.flatMap((codec) =>
    systems
      .filter((system) => system.codecs?.includes(codec) ?? true)
      .map((system) => ({
        system: system.name,
        codec,
        missing: () => system.missing(),
        run: (bench: Bench, most: number) => {
          const pace = Math.min(recordsPerSecond, system.recordsPerSecond ?? Infinity);
          const records = Math.min(most, Math.ceil(pace * SECONDS_OF_A_RUN));
          return measure(
            system,
            async (isEmpty) => {
              const folder = await mkdtemp(join(bench.folder, `${system.name.replace(/\W+/g, '-')}-`));
              const opened = await stage({ bench, folder, codec, records: isEmpty ? 0 : records });
              const close = async (): Promise<void> => {
                await opened.close();
                await rm(folder, { recursive: true, force: true });
              };
              return { ...opened, close };
            },
            bench.watch,
          );
        },
      })),
  );
}
