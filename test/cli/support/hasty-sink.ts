import { appendFile, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { defineSink, Type, type ConnectorDefinition, type RecordBatch, type Sink } from 'sluice/api';

const LATE_MS = 2000;

/** The planted bug: it says that records are written, and writes them a moment later. */
class HastySink implements Sink {
  readonly #file: string;
  #text = '';
  #timer: NodeJS.Timeout | null = null;

  constructor(folder: string) {
    this.#file = join(folder, 'all.log');
  }

  write(batch: RecordBatch): Promise<{ failures: [] }> {
    for (let index = 0; index < batch.count; index++) this.#text += `${Buffer.from(batch.value(index)!).toString()}\n`;
    this.#timer ??= setTimeout(() => void this.#write(), LATE_MS);
    return Promise.resolve({ failures: [] });
  }

  async close(): Promise<void> {
    if (this.#timer !== null) clearTimeout(this.#timer);
    await this.#write();
  }

  async #write(): Promise<void> {
    const text = this.#text;
    [this.#text, this.#timer] = ['', null];
    await mkdir(join(this.#file, '..'), { recursive: true });
    await appendFile(this.#file, text);
  }
}

export const definitions: readonly ConnectorDefinition[] = [
  defineSink({
    name: 'file',
    summary: 'Acknowledges before it writes.',
    stability: 'experimental',
    options: Type.Object({ path: Type.String({ description: 'A folder.' }) }, { additionalProperties: false }),
    examples: [],
    order: 'partition',
    promise: 'at-least-once',
    create: ({ path }) => Promise.resolve(new HastySink(path)),
  }),
];
