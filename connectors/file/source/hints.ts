import { describeError } from 'sluice/api';
import type { Glob } from './glob.ts';
import type { TailRun } from './tail-run.ts';

/** Has folders watched, unless that is not wanted: names that change ask for a search, `onGrown` is told the path of an open file that was written. */
export function watchHints(
  { settings, ends, table, context, scanSoon }: TailRun,
  glob: Glob,
  onGrown: (path: string) => void,
): { close(): Promise<void> } | null {
  const { watchFolders } = settings;
  if (watchFolders === null || ends) return null;
  const { folders, depth } = glob.folders;
  return watchFolders(folders, {
    depth,
    onHint: (path, isName) => {
      const handle = table.at(path)?.handle ?? null;
      if (handle !== null && !isName) onGrown(path);
      else if (isName || glob.matches(path)) scanSoon();
    },
    onError: (error) => {
      const cause = describeError(error);
      context.log.warn({ folders, cause }, 'watching folders does not work, looking by interval only');
    },
  });
}
