import { constants } from 'node:fs';
import { access, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { SluiceError } from 'sluice/api';

/** Could files be made in this folder, or the folder itself? Makes nothing. Throws `SINK_BLOCKED` naming the place that does not allow it. */
export async function checkFolder(folder: string): Promise<void> {
  for (let place = folder; ; place = dirname(place)) {
    try {
      const isFolder = (await stat(place)).isDirectory();
      if (!isFolder) throw new SluiceError('SINK_BLOCKED', `writing into ${place}: it is no folder`);
      await access(place, constants.W_OK | constants.X_OK);
      return;
    } catch (error) {
      if (error instanceof SluiceError) throw error;
      const { code } = error as NodeJS.ErrnoException;
      // Something above the folder is a file: that is found one step further up.
      const isMissing = code === 'ENOENT' || code === 'ENOTDIR';
      if (!isMissing || dirname(place) === place)
        throw new SluiceError('SINK_BLOCKED', `writing into ${place}`, { cause: error });
    }
  }
}
