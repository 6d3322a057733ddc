import { access } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';

/** What was downloaded and compiled: outside the repository, kept between runs. `SLUICE_SERVICES` moves it. */
export function cacheFolder(): string {
  return process.env.SLUICE_SERVICES ?? join(homedir(), '.cache', 'sluice', 'services');
}

/** Data, logs and pids of the services that `npm run services -- up` started. */
export function runFolder(): string {
  return join(cacheFolder(), 'run');
}

export async function exists(path: string): Promise<boolean> {
  try {
    await access(path);
    return true;
  } catch {
    return false;
  }
}
