import { readFile } from 'node:fs/promises';
import { record, unreadable, type ReadRecords } from './foreign-record.ts';

/** Flume's `positionFile` of a TAILDIR source: `[{"inode":1,"pos":2,"file":"…"}]` (`ReliableTaildirEventReader.loadPositionFile`). */
export const readTaildir: ReadRecords = async (path) => {
  const content = JSON.parse(await readFile(path, 'utf8')) as unknown;
  if (!Array.isArray(content)) throw unreadable('the file', 'it is no position file of TAILDIR');
  return (content as readonly unknown[]).map((entry, index) => {
    const where = `entry ${index + 1}`;
    if (typeof entry !== 'object' || entry === null) throw unreadable(where, 'it is no position');
    const { inode, pos, file } = entry as Record<string, unknown>;
    if (typeof inode !== 'number' || typeof file !== 'string') throw unreadable(where, 'it has no inode or file');
    return record({ path: file, inode: String(inode), offset: pos }, where);
  });
};
