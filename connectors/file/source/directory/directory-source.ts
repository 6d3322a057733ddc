import type { Source, SourceContext } from 'sluice/api';
import { DirectoryRun } from './directory-run.ts';
import type { DirectorySettings } from './settings.ts';

/** Reads files that are complete, one after the other, the oldest first. */
export class DirectorySource implements Source {
  readonly #settings: DirectorySettings;

  constructor(settings: DirectorySettings) {
    this.#settings = settings;
  }

  async run(context: SourceContext): Promise<void> {
    try {
      await new DirectoryRun(this.#settings, context).run();
    } catch (error) {
      // Asked to end: what was emitted settles by itself.
      if (!context.signal.aborted) throw error;
    }
  }
}
