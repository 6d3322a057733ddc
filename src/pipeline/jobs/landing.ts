import { mkdir, open, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { SluiceError, type JobLanding, type JobRange } from '../../api/index.ts';
import { crashPoint } from '../../telemetry/index.ts';
import { offsetsIn, type Intent } from './intent.ts';
import type { JobTopic } from './job-topic.ts';
import { LandedFile } from './landed-file.ts';

/** Readers of Hadoop's kind take a folder with it for whole, and leave names that begin with `_` or `.` alone. */
const MANIFEST = '_SUCCESS';

interface LandingOptions extends JobLanding {
  readonly topic: Pick<JobTopic, 'read'>;
  readonly hubId: string;
  /** Of the ids of this sink's batches. */
  readonly prefix: string;
}

interface Part {
  readonly file: string;
  readonly partition: number;
  readonly from: number;
  readonly to: number;
  readonly records: number;
  readonly bytes: number;
}

/** Writes the records of batches as JSON lines into folders of their own. A folder is there as a whole, with its manifest, or not at all. */
export class Landing {
  readonly #options: LandingOptions;

  constructor(options: LandingOptions) {
    this.#options = options;
  }

  /** Resolves with the folder; what an earlier life has published stays. Rejects with `SINK_UNAVAILABLE` when files cannot be written. */
  async land(intent: Intent, signal: AbortSignal): Promise<string> {
    const { folder } = this.#options;
    const target = join(folder, intent.id);
    try {
      if (await isPublished(target, intent)) return target;
      const temporary = join(folder, this.#temporary(intent.id));
      await rm(temporary, { recursive: true, force: true });
      await mkdir(temporary, { recursive: true });
      const parts: Part[] = [];
      for (const range of intent.ranges)
        if (range.to > range.from) parts.push(await this.#part(temporary, intent, { range, signal }));
      await writeFile(join(temporary, MANIFEST), manifestOf(intent, parts), { flush: true });
      await syncFolder(temporary);
      await publish(temporary, target);
      await syncFolder(folder);
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof SluiceError) throw error;
      throw new SluiceError('SINK_UNAVAILABLE', `landing a batch in "${folder}"`, { retryable: true, cause: error });
    }
    crashPoint('job-landed');
    return target;
  }

  /** The batch is done with. */
  async remove(id: string): Promise<void> {
    if (!this.#options.keep) await rm(join(this.#options.folder, id), { recursive: true, force: true });
  }

  /** What a life of this hub had begun and not published. */
  async clean(): Promise<void> {
    const { folder, prefix } = this.#options;
    const names = await readdir(folder).catch((error: unknown) => {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
      throw new SluiceError('SINK_UNAVAILABLE', `reading the folder "${folder}"`, { retryable: true, cause: error });
    });
    const [begin, end] = this.#temporary('\0').split('\0') as [string, string];
    for (const name of names)
      if (name.startsWith(`${begin}${prefix}`) && name.endsWith(end)) await rm(join(folder, name), { recursive: true });
  }

  #temporary(id: string): string {
    return `.${id}.${this.#options.hubId}.tmp`;
  }

  async #part(
    folder: string,
    { topic, incarnation }: Intent,
    { range, signal }: { readonly range: JobRange; readonly signal: AbortSignal },
  ): Promise<Part> {
    const file = `part-${String(range.partition).padStart(5, '0')}.ndjson`;
    const partition = { topic, incarnation, partition: range.partition };
    const landed = await LandedFile.create(join(folder, file), partition, this.#options.values);
    try {
      for await (const chunk of this.#options.topic.read(range, signal)) {
        try {
          await landed.write(chunk, range.to);
        } finally {
          chunk.release();
        }
      }
      return { file, ...range, ...(await landed.finish()) };
    } finally {
      await landed.close();
    }
  }
}

function manifestOf({ id, topic, incarnation, ranges }: Intent, parts: readonly Part[]): string {
  const records = parts.reduce((sum, part) => sum + part.records, 0);
  return `${JSON.stringify({ batch: id, topic, incarnation, ranges, offsets: offsetsIn(ranges), records, files: parts }, null, 2)}\n`;
}

async function isPublished(target: string, { id }: Intent): Promise<boolean> {
  const text = await readFile(join(target, MANIFEST), 'utf8').catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  });
  if (text === null) return false;
  const { batch } = JSON.parse(text) as { readonly batch?: unknown };
  if (batch !== id) throw new Error(`"${target}" belongs to somebody else`);
  return true;
}

/** Another hub that was first has published the same. */
async function publish(temporary: string, target: string): Promise<void> {
  try {
    await rename(temporary, target);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'ENOTEMPTY' && code !== 'EEXIST') throw error;
    await rm(temporary, { recursive: true, force: true });
  }
}

async function syncFolder(path: string): Promise<void> {
  const handle = await open(path);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
