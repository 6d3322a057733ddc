import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** What takes long to make and is kept between runs: input files, built packages, the compile cache. */
export function cacheFolder(): string {
  return join(tmpdir(), 'sluice-bench');
}
