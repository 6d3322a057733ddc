import type { Source, SourceContext } from 'sluice/api';
import type { FileSourceSettings } from './source/settings.ts';
import { Tailer } from './source/tailer.ts';

/** Reads lines of files, each once, through rotation and restarts. */
export class FileSource implements Source {
  readonly #settings: FileSourceSettings;

  constructor(settings: FileSourceSettings) {
    this.#settings = settings;
  }

  async run(context: SourceContext): Promise<void> {
    try {
      await new Tailer(this.#settings, context, await context.load()).run();
    } catch (error) {
      // Asked to end: what was emitted settles by itself.
      if (!context.signal.aborted) throw error;
    }
  }
}
