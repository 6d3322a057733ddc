import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Bench, Contestant } from './path.ts';
import type { Measurement } from './stage.ts';
import type { Codec } from './system.ts';

interface HubContestant {
  readonly system: string;
  readonly codec: Codec;
  readonly measure: (bench: Bench, folder: string, records: number) => Promise<Measurement>;
}

/** The hub alone, on a path that no peer is measured on; `folder` is empty and removed after the run. */
export function hubContestant({ system, codec, measure }: HubContestant): Contestant {
  return {
    system,
    codec,
    missing: () => Promise.resolve(null),
    async run(bench, records) {
      const folder = await mkdtemp(join(bench.folder, 'hub-'));
      try {
        return await measure(bench, folder, records);
      } finally {
        await rm(folder, { recursive: true, force: true });
      }
    },
  };
}
