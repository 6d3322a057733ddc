import { watch } from 'chokidar';
import { join } from 'node:path';

/** A path that changed, and whether names did: something was made, renamed or deleted. */
export type OnHint = (path: string, isName: boolean) => void;

export interface FolderWatch {
  close(): Promise<void>;
}

/**
 * Watches folders, not files: one watch each, however many files there are. Events come late, twice or never, so whoever listens only looks sooner than it
 * would have looked by itself.
 */
export function watchFolders(
  folders: readonly string[],
  options: { readonly depth: number; readonly onHint: OnHint; readonly onError: (error: unknown) => void },
): FolderWatch {
  const watcher = watch([...folders], {
    ignoreInitial: true,
    depth: options.depth,
    ignored: (_path, stats) => stats?.isFile() === true,
    ignorePermissionErrors: true,
  });
  watcher.on('raw', (event, name, details) => {
    const { watchedPath } = details as { readonly watchedPath?: string };
    const path = name === null ? (watchedPath ?? '') : join(watchedPath ?? '', name);
    options.onHint(path, event !== 'change');
  });
  watcher.on('error', options.onError);
  return { close: () => watcher.close() };
}
