import { access, constants } from 'node:fs/promises';
import { delimiter, join } from 'node:path';

/** The file of a command; null when it is not in the path (`/usr/sbin` included, where daemons are). */
export async function findCommand(name: string): Promise<string | null> {
  for (const folder of [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin']) {
    const file = join(folder, name);
    const isThere = await access(file, constants.X_OK).then(
      () => true,
      () => false,
    );
    if (isThere) return file;
  }
  return null;
}
